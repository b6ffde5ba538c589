"""Check the cohort as a whole (usable cases, label conventions, task), and stop the run if it is not as expected."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.cohort_check import check_cohort
from tumorseg.cohort.manifest import read_manifest
from tumorseg.formatting import format_count
from tumorseg.io.files import write_json
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule check_cohort."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="TSV file of the manifest")
    add_task_option(parser)
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="`labels`, `expected_usable` and `patient` of the cohort, as JSON",
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write with the result of the check")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("check_cohort", options.log):
        result = check_cohort(
            read_manifest(options.manifest),
            manifest_path=options.manifest,
            task=options.task,
            labels=options.settings["labels"],
            expected_usable=options.settings["expected_usable"],
            patient=options.settings.get("patient"),
        )
        write_json(options.output, result)
        for warning in result["doubts"]:
            console.logger.warning("%s", warning)
        masks = f", label convention {result['convention'] or 'unknown'}" if len(options.task.conventions) > 1 else ""
        console.logger.info("the cohort is valid: %s%s", format_count(result["usable"], "usable case"), masks)


if __name__ == "__main__":
    main()
