"""Register one channel of a patient to the reference channel."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.preparation.coregistration import coregister
from tumorseg.preparation.step_record import write_step_record
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule coregister."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder that convert wrote")
    parser.add_argument("--channel", required=True, help="channel of the task; the patient may lack it")
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="record to write, JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"coregister {options.channel}", options.log):
        record = coregister(options.images, options.channel, options.task)
        for issue in record.own_issues:
            console.logger.warning("%s: %s", record.case, issue.message)
        write_step_record(options.output, record)


if __name__ == "__main__":
    main()
