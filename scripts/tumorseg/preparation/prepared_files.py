"""Read the images and transforms that earlier steps of the preparation of a patient wrote."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorseg.io.files import CorruptedFileError, describe_locations
from tumorseg.io.volume import Volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.preparation.sampling import Image
from tumorseg.preparation.scanner_images import read_scanner_image
from tumorseg.preparation.step_record import StepRecord, first_failure


@dataclass(frozen=True)
class PatientFiles:
    """What the rules convert and coregister found of a patient.

    Attributes:
        case: name of the case.
        images: folder of the images on their native grids.
        coregistered: record of each channel of the task.
    """

    case: str
    images: Path
    coregistered: tuple[StepRecord, ...]

    @property
    def matrices(self) -> dict[str, NDArray[np.float64]]:
        """The matrix from the reference image to each channel that the patient has."""
        present = [record for record in self.coregistered if "matrix" in record.facts]
        return {str(record.facts["channel"]): matrix_from(record) for record in present}

    def volume(self, channel: str) -> Volume:
        """Return a channel on its native grid."""
        return read_prepared(channel_path(self.images, channel))


def channel_path(folder: Path, channel: str) -> Path:
    """Return the path of a channel on its native grid."""
    return folder / f"{channel}.nii.gz"


def atlas_path(folder: Path, case: str, channel: str) -> Path:
    """Return the path of a channel on the grid of the atlas."""
    return folder / f"{case}-{channel}.nii.gz"


def read_prepared(path: Path) -> Volume:
    """Return a volume that an earlier step wrote; voxels that are not finite are 0.

    Raises:
        CorruptedFileError: the file is missing or corrupted.
    """
    try:
        volume = read_scanner_image(path)
    except VolumeError as error:
        raise CorruptedFileError(
            f"{path}: {error.message}; delete {describe_locations(path.parent)} and run again"
        ) from None
    if volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
        return replace(volume, array=np.nan_to_num(volume.array, nan=0.0, posinf=0.0, neginf=0.0))
    return volume


def image_of(volume: Volume) -> Image:
    """Return the voxels of a volume on their grid."""
    return Image(volume.array, volume.affine)


def pass_on_failure(records: Sequence[StepRecord], step: str) -> StepRecord | None:
    """Return the record of a step that does nothing because an earlier one failed; None if all succeeded."""
    failed = first_failure(records)
    return None if failed is None else StepRecord(failed.case, step, problems=failed.problems, passed_on=True)


def matrix_to_json(matrix: NDArray[np.float64]) -> list[list[float]]:
    """Return a matrix as plain numbers, for the facts of a record.

    Args:
        matrix: of any shape (rows, columns).
    """
    rows: list[list[float]] = matrix.tolist()
    return rows


def matrix_from(record: StepRecord) -> NDArray[np.float64]:
    """Return the matrix (4, 4) in the facts of a record."""
    return np.array(record.facts["matrix"], np.float64)
