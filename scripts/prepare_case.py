"""Lay out the images of a labelled case on the atlas with its mask, as a case of a cohort."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.case_files import case_from_json
from tumorseg.preparation.prepare_case import MaskSource, write_prepared_case
from tumorseg.preparation.prepared_files import PatientFiles
from tumorseg.preparation.step_record import read_step_record
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule prepare_case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", type=case_from_json, required=True, help="the files to write, as JSON")
    parser.add_argument("--steps", type=Path, required=True, help="folder of the earlier steps")
    parser.add_argument("--coregistered", type=Path, nargs="+", required=True, help="records that coregister wrote")
    parser.add_argument("--masks", nargs="*", default=[], help="files that may be the mask")
    parser.add_argument("--labels", required=True, help="`cohort.labels`")
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"prepare_case {options.case.case}", options.log):
        records = tuple(map(read_step_record, options.coregistered))
        record = write_prepared_case(
            PatientFiles(options.case.case, options.steps / "images", records),
            options.steps,
            MaskSource(Path(), tuple(options.masks), options.labels),
            {role: Path(path).name for role, (path,) in options.case.files.items()},
            options.output,
            task=options.task,
        )
        for issue in record.own_issues:
            if issue in record.problems or issue.file in options.masks:  # earlier steps have logged the others
                console.logger.warning("%s: %s", record.case, issue.message)


if __name__ == "__main__":
    main()
