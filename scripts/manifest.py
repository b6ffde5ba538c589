"""Table of all cases: what is usable, and why the rest is not."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.manifest import build_manifest, summary_lines, usable_patients, write_manifest
from tumorseg.cohort.patients import patient_warnings
from tumorseg.cohort.sample_sheet import read_sheet_patients
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--verdicts", type=Path, nargs="+", required=True, help="JSON files of the verdicts of all batches"
    )
    add_task_option(parser)
    parser.add_argument(
        "--settings", type=json.loads, default={"patient": None}, help="the pattern of the `patient` of a case, as JSON"
    )
    parser.add_argument("--patient-table", type=Path, nargs="?", help="the user's own table of patients")
    parser.add_argument("--samples", type=Path, nargs="?", help="the user's own sample sheet, which has patients")
    parser.add_argument("--output", type=Path, required=True, help="TSV file of the manifest")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("manifest", options.log):
        pattern, own = options.settings["patient"], options.patient_table
        verdicts = (verdict for path in options.verdicts for verdict in read_validation_results(path))
        given = read_sheet_patients(options.samples) if options.samples else {}
        table = build_manifest(
            verdicts, task=options.task, patient_pattern=pattern, patient_table=own, patients_in_sheet=given
        )
        write_manifest(options.output, table)
        for line in summary_lines(table, options.output):
            console.logger.info("%s", line)
        patients = usable_patients(table)
        console.logger.info("they are of %d patients", len(set(patients.values())))
        if pattern is None and own is None:
            for doubt in patient_warnings({case: patient for case, patient in patients.items() if case not in given}):
                console.logger.warning("%s", doubt)


if __name__ == "__main__":
    main()
