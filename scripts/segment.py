"""Gather the masks and pictures of all new patients in one folder, with a table of their volumes and their pages."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tumorseg.cli import console
from tumorseg.clinical.measures import diameter_measures
from tumorseg.errors import UserError
from tumorseg.io.files import write_bytes
from tumorseg.plotting.style import label_colours
from tumorseg.preparation.patient_records import read_patient_records
from tumorseg.provenance.run_facts import run_facts
from tumorseg.reporting.segmentations_page.pages import write_pages
from tumorseg.segmentation.courses import course_lines, write_courses
from tumorseg.segmentation.gathering import SEGMENTED_FOLDER, prepared_files, require_distinct, shard_files
from tumorseg.segmentation.prepared_patients import add_preparation, visits
from tumorseg.segmentation.results import (
    TABLE_FILE,
    read_records,
    segmentation_summary,
    write_record,
    write_volume_table,
)
from tumorseg.task import Task


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule segment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=Path, nargs="*", default=[], help="folders that segment_batch wrote")
    parser.add_argument(
        "--prepared", type=Path, nargs="*", default=[], help="folder of each patient that was prepared; named after it"
    )
    parser.add_argument(
        "--visits", type=json.loads, default={}, help="patient and date of the cases that have them, as JSON"
    )
    parser.add_argument("--settings", type=json.loads, required=True, help="`colours` of the labels, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder to write for all masks, pictures and pages")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("segment", options.log):
        results, method = read_records([*options.shards, *(folder / SEGMENTED_FOLDER for folder in options.prepared)])
        records = {folder.name: read_patient_records(folder) for folder in options.prepared}
        patients = add_preparation(results, records)
        # Outside the output folder, because Snakemake deletes the output of a failed job.
        failure_table = options.output.parent / "segmented" / TABLE_FILE
        failure_table.unlink(missing_ok=True)
        if not any(patient.segmented for patient in patients):
            write_volume_table(failure_table, patients, method["structures"])
            raise UserError("\n".join(segmentation_summary(patients, failure_table, method)))
        failed = [patient.case for patient in patients if not patient.segmented]
        gathered = [
            *(pair for shard in options.shards for pair in shard_files(shard, failed)),
            *(pair for folder in options.prepared if folder.name not in failed for pair in prepared_files(folder)),
        ]
        require_distinct([name for _, name in gathered])
        for file, name in gathered:
            write_bytes(options.output / name, file.read_bytes())
        task = Task.from_json(method["task"])
        table = options.output / TABLE_FILE
        write_volume_table(table, patients, method["structures"], diameter_measures(task))
        courses = write_courses(options.output, patients, task, visits(records, options.visits))
        method |= {"courses": [file.name for file in courses]}
        write_record(options.output, patients, method)
        run = run_facts(Path(__file__).parent.parent, datetime.now(UTC))
        colours = label_colours(options.settings)
        write_pages(options.output, patients, records, method, run, task=task, colours=colours)
        for line in [*course_lines(courses), *segmentation_summary(patients, table, method)]:
            console.logger.info("%s", line)


if __name__ == "__main__":
    main()
