"""Find the brain of a new patient in the reference image, on the grid of that image."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.preparation.brain_step import write_brain_mask
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule extract_brain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of images that convert wrote")
    parser.add_argument(
        "--coregistered", type=Path, nargs="+", required=True, help="record of the registration of each channel"
    )
    add_task_option(parser)
    parser.add_argument("--threads", type=int, required=True, help="number of CPU threads")
    parser.add_argument("--output", type=Path, required=True, help="folder to write for the mask and its record")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("extract_brain", options.log):
        record = write_brain_mask(
            options.images, options.coregistered, options.output, task=options.task, threads=options.threads
        )
        for issue in record.own_issues:
            console.logger.warning("%s: %s", record.case, issue.message)


if __name__ == "__main__":
    main()
