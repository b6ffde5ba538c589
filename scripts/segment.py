"""Gather the masks and pictures of all new patients in one folder, with a table of their volumes."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.clinical.measures import diameter_measures
from tumorseg.errors import UserError
from tumorseg.io.files import write_bytes
from tumorseg.segmentation.courses import course_lines, write_courses
from tumorseg.segmentation.results import (
    RECORD_FILE,
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
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="folders that segment_batch wrote")
    parser.add_argument("--output", type=Path, required=True, help="folder to write for all masks and pictures")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("segment", options.log):
        patients, method = read_records(options.shards)
        # Outside the output folder, because Snakemake deletes the output of a failed job.
        failure_table = options.shards[0].parent / TABLE_FILE
        failure_table.unlink(missing_ok=True)
        if not any(patient.segmented for patient in patients):
            write_volume_table(failure_table, patients, method["structures"])
            raise UserError("\n".join(segmentation_summary(patients, failure_table, method)))
        for shard in options.shards:
            for file in sorted(shard.iterdir()):
                if file.name != RECORD_FILE and not file.name.startswith("."):
                    write_bytes(options.output / file.name, file.read_bytes())
        task = Task.from_json(method["task"])
        table = options.output / TABLE_FILE
        write_volume_table(table, patients, method["structures"], diameter_measures(task))
        courses = write_courses(options.output, patients, task)
        write_record(options.output, patients, {**method, "courses": [file.name for file in courses]})
        for line in [*course_lines(courses), *segmentation_summary(patients, table, method)]:
            console.logger.info("%s", line)


if __name__ == "__main__":
    main()
