"""Register a patient to the atlas, and write all images on its grid, without anything outside the brain."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.preparation.atlas import load_atlas
from tumorseg.preparation.prepared_files import PatientFiles
from tumorseg.preparation.step_record import read_step_record
from tumorseg.preparation.to_atlas import write_atlas_images
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule to_atlas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder that convert wrote")
    parser.add_argument("--coregistered", type=Path, nargs="+", required=True, help="records that coregister wrote")
    parser.add_argument("--brain", type=Path, required=True, help="folder that extract_brain wrote")
    parser.add_argument("--atlas", required=True, help="`mni152`, or path of a T1 image of a brain without skull")
    parser.add_argument("--case", required=True, help="name of the case")
    add_task_option(parser)
    parser.add_argument("--threads", type=int, required=True, help="channels to resample at the same time")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"to_atlas {options.case}", options.log):
        records = tuple(map(read_step_record, options.coregistered))
        record = write_atlas_images(
            PatientFiles(options.case, options.images, records),
            options.brain,
            options.output,
            atlas=load_atlas(options.atlas),
            task=options.task,
            threads=options.threads,
        )
        for issue in record.own_issues:
            console.logger.warning("%s: %s", record.case, issue.message)


if __name__ == "__main__":
    main()
