"""Predicted masks on disk: on the input's own grid, enhancing tumour written as the input's masks write it."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.images import same_affine
from tumorseg.cohort.volume import read_volume
from tumorseg.errors import UserError
from tumorseg.inference.recorded import RecordedMask, mask_path
from tumorseg.labels import CLASSES, TUMOUR_LABELS, Convention, from_inside, to_inside
from tumorseg.nifti import write_nifti
from tumorseg.normalise.crop import uncrop
from tumorseg.normalise.store import Origin


def write_prediction(
    folder: Path, mask: NDArray[np.uint8], origin: Origin, cohort_convention: str | None, mark: str = ""
) -> None:
    """Write a mask of inside labels on the cropped grid (x, y, z) to `{case}.nii.gz` in `folder`, uint8.

    A case whose own mask shows no enhancing tumour, or that has none, follows `cohort_convention`, or, where that is
    mixed or unknown too, BraTS 2023. mark: the description in the file's header.
    """
    convention: Convention = "brats2021" if (origin.convention or cohort_convention) == "brats2021" else "brats2023"
    written = from_inside(uncrop(mask, origin), convention)
    write_nifti(mask_path(folder, origin.case), written, origin.affine, origin.forms, mark)


def write_probabilities(folder: Path, probabilities: NDArray[np.float32], origin: Origin, mark: str = "") -> None:
    """Write (classes, x, y, z) on the cropped grid to `{case}-probabilities.nii.gz`, float32 (X, Y, Z, 4).

    Last axis: background and the labels 1, 2, 4. Rounded to four digits, without which the file is several times as
    large. Beyond the crop all is background. mark: the description in the file's header.
    """
    labels = (0, *TUMOUR_LABELS)
    whole = np.zeros((*origin.shape, len(labels)), np.float32)
    whole[..., 0] = 1
    for place, label in enumerate(labels):
        uncrop(np.round(probabilities[label], 4), origin, out=whole[..., place])
    write_nifti(folder / f"{origin.case}-probabilities.nii.gz", whole, origin.affine, origin.forms, mark)


def read_prediction(mask: RecordedMask, shape: Sequence[int], affine: ArrayLike) -> NDArray[np.uint8]:
    """The predicted mask of a case, in inside labels, uint8 of `shape` (X, Y, Z).

    Raises UserError where it is damaged, is not the file that was predicted, or is not on the grid of its case.
    """
    path, remedy = mask.path, f"delete {mask.path.parent} and run again"
    try:
        volume = read_volume(path, math.prod(shape))
    except Damage as damage:
        raise UserError(f"{path}: this prediction is damaged ({damage.message}); {remedy}") from None
    if volume.digest != mask.digest:
        raise UserError(f"{path}: this mask was replaced or edited after it was predicted; {remedy}")
    voxels = volume.array
    if voxels.shape != tuple(shape) or not same_affine(volume.affine, np.asarray(affine)):
        raise UserError(f"{path}: this prediction is not on the grid of its case; {remedy}")
    if voxels.max(initial=0) >= CLASSES:
        raise UserError(f"{path}: the value {voxels.max()} is no label; {remedy}")
    return to_inside(voxels.astype(np.uint8))
