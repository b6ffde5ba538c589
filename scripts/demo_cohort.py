"""Write the demo cohort: cases of a task, simulated from real anatomy. Three of them are corrupted."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.demo.cohort import write_cohort
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule demo_cohort."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="the `demo` section of the configuration, as JSON"
    )
    add_task_option(parser)
    parser.add_argument("--root", type=Path, required=True, help="folder to write the cohort to")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("demo_cohort", options.log):
        write_cohort(options.settings, options.task, options.root)


if __name__ == "__main__":
    main()
