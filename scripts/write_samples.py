"""Write a draft of a sample sheet for cohort.samples from a folder of images, to be checked and completed."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.sample_sheet_draft import write_draft_sheet
from tumorseg.formatting import format_count
from tumorseg.task import DEFAULT_TASK, parse_task_argument


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line for users. No rule calls it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the images, in any layout")
    parser.add_argument(
        "--task", default=DEFAULT_TASK, help=f"name in workflow/tasks, or a file ({DEFAULT_TASK} by default)"
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write, .tsv or .csv; never overwritten")
    options = parser.parse_args(arguments)
    with console.job("write_samples", None):
        task = parse_task_argument(options.task)
        sheet = write_draft_sheet(options.folder.expanduser(), options.output.expanduser(), task)
        console.logger.info("%s in %s", format_count(len(sheet.table), "case"), options.output)
        if sheet.layout_error:
            console.logger.warning("the layout is unknown, so the cells are guesses: %s", sheet.layout_error)
        for gap in sheet.missing_cells():
            console.logger.warning("fill in: %s", gap)
        for path in sheet.unused_files:
            console.logger.warning("not understood, and in no cell: %s", path)
        console.logger.info("check and complete the sheet, and set cohort.samples to it")


if __name__ == "__main__":
    main()
