"""Write the manifest: one row per case, with its patient, and the problems of cases that are not usable."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.exclusions import read_exclusions
from tumorseg.cohort.manifest import build_manifest, manifest_summary, usable_patients, write_manifest
from tumorseg.cohort.patients import patient_grouping_warnings
from tumorseg.cohort.sample_sheet import read_sheet_patients
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--validation-results",
        type=Path,
        nargs="+",
        required=True,
        help="JSON files of the validation results of all shards",
    )
    add_task_option(parser)
    parser.add_argument(
        "--settings", type=json.loads, default={"patient": None}, help="`patient` of the cohort, as JSON"
    )
    parser.add_argument("--patient-table", type=Path, nargs="?", help="the user's table of patients")
    parser.add_argument("--samples", type=Path, nargs="?", help="the user's sample sheet, for its patients")
    parser.add_argument("--exclude", type=Path, nargs="?", help="the user's list of cases to exclude")
    parser.add_argument("--output", type=Path, required=True, help="TSV file to write with the manifest")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("manifest", options.log):
        pattern, patient_table = options.settings["patient"], options.patient_table
        results = [result for path in options.validation_results for result in read_validation_results(path)]
        in_sheet = read_sheet_patients(options.samples) if options.samples else {}
        exclusions = read_exclusions(options.exclude, [result.case for result in results]) if options.exclude else {}
        table = build_manifest(
            results,
            task=options.task,
            patient_pattern=pattern,
            patient_table=patient_table,
            patients_in_sheet=in_sheet,
            exclusions=exclusions,
        )
        write_manifest(options.output, table)
        for line in manifest_summary(table, options.output):
            console.logger.info("%s", line)
        patients = usable_patients(table)
        console.logger.info("patients with usable cases: %d", len(set(patients.values())))
        if pattern is None and patient_table is None:
            for warning in patient_grouping_warnings(
                {case: patient for case, patient in patients.items() if case not in in_sheet}
            ):
                console.logger.warning("%s", warning)


if __name__ == "__main__":
    main()
