"""Which files of the jobs go into the folder of all masks, and under which names."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from tumorseg.errors import UserError
from tumorseg.preparation.native_files import dicom_mask_path, native_mask_path, native_probabilities_path
from tumorseg.preparation.step_record import RECORD_FILE as STEP_RECORD_FILE
from tumorseg.preparation.step_record import read_step_record
from tumorseg.segmentation.result_files import (
    ATLAS_FOLDER,
    dicom_file,
    files_of_job,
    mask_file,
    probabilities_file,
)
from tumorseg.segmentation.results import RECORD_FILE

SEGMENTED_FOLDER: Final = "segmented"
NATIVE_FOLDER: Final = "native"


def shard_files(shard: Path, failed: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Yield each file of a shard of patients who needed no preparation, with its name in the folder of all masks.

    Args:
        shard: folder that segment_batch wrote.
        failed: cases without a mask, whose files are left out.
    """
    left_out = {RECORD_FILE, *(name for case in failed for name in files_of_job(case, probabilities=True))}
    for file in sorted(shard.rglob("*")):
        name = str(file.relative_to(shard))
        if file.is_file() and name not in left_out and not file.name.startswith("."):
            yield file, name


def prepared_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file of a prepared patient, with its name in the folder of all masks.

    The mask on the grid of the reference image has the name of the patient. Masks on the grid of the atlas go to a
    folder of their own.

    Args:
        folder: folder of the patient, named after the patient, who has a mask.

    Raises:
        UserError: the record of the rule to_native is corrupted.
    """
    case, native = folder.name, folder / NATIVE_FOLDER
    on_atlas = {mask_file(case), probabilities_file(case)}
    for file, name in shard_files(folder / SEGMENTED_FOLDER, ()):
        yield file, f"{ATLAS_FOLDER}/{name}" if name in on_atlas else name
    reference = read_step_record(native / STEP_RECORD_FILE).facts["reference"]
    renamed = {
        native_mask_path(native, case, reference): mask_file(case),
        native_probabilities_path(native, case, reference): probabilities_file(case),
        dicom_mask_path(native, case, reference): dicom_file(case),
    }
    for file in sorted(native.iterdir()):
        if file.name != STEP_RECORD_FILE and not file.name.startswith("."):
            yield file, renamed.get(file, file.name)


def require_distinct(names: Sequence[str]) -> None:
    """Check that no two files of patients have one name.

    Args:
        names: names in the folder of all masks.

    Raises:
        UserError: two patients have files of one name, such as those called `A` and `A-probabilities`.
    """
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise UserError(f"two patients would both get the file {name}; rename the folder of one of them")
        seen.add(name.casefold())
