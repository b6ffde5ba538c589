"""Write the mask of a patient on the grids of the original images."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.preparation.prepared_files import PatientFiles
from tumorseg.preparation.step_record import read_step_record
from tumorseg.preparation.to_native import REFERENCE, write_native_masks


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule to_native."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", required=True, help="name of the case")
    parser.add_argument("--images", type=Path, required=True, help="folder that convert wrote")
    parser.add_argument("--coregistered", type=Path, nargs="+", required=True, help="records that coregister wrote")
    parser.add_argument("--atlas", type=Path, required=True, help="folder that to_atlas wrote")
    parser.add_argument("--masks", type=Path, required=True, help="folder that segment_batch wrote")
    parser.add_argument(
        "--sequences", nargs="+", default=[REFERENCE], help="channels on whose grids to write, or `reference`"
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the patients, for DICOM segmentations")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"to_native {options.case}", options.log):
        records = tuple(map(read_step_record, options.coregistered))
        patient = PatientFiles(options.case, options.images, records)
        record = write_native_masks(
            patient, options.atlas, options.masks, options.output, sequences=options.sequences, root=options.root
        )
        for issue in record.own_issues:
            console.logger.warning("%s: %s", record.case, issue.message)


if __name__ == "__main__":
    main()
