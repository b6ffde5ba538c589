"""Find the images of a new patient, and write them as NIfTI files on their own grids."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.preparation.conversion import convert_patient
from tumorseg.preparation.patient_source import source_from_json
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the patients")
    parser.add_argument("--source", type=source_from_json, required=True, help="files of the patient, as JSON")
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder of images to write")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"convert {options.source.case}", options.log):
        record = convert_patient(options.root, options.source, options.task, options.output)
        for channel, facts in record.facts.get("channels", {}).items():
            console.logger.info("%s: %s", channel, facts["label"])
        for issue in record.own_issues:
            console.logger.warning("%s: %s", record.case, issue.message)


if __name__ == "__main__":
    main()
