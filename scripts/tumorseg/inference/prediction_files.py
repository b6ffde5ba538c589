"""Read and write predicted masks on the grid of the input, with the label values of the input's masks."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorseg.errors import Message, UserError
from tumorseg.geometry import same_affine
from tumorseg.inference.records import RecordedMask, mask_path
from tumorseg.io.nifti import write_nifti
from tumorseg.io.volume import read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.preprocessing.crop import uncrop
from tumorseg.preprocessing.store import Origin
from tumorseg.task.conventions import map_values


def write_prediction(
    folder: Path, mask: NDArray[np.uint8], origin: Origin, written: Mapping[int, int], mark: str = ""
) -> None:
    """Write a mask to `{case}.nii.gz` in a folder, uint8, on the grid of the input.

    Args:
        folder: folder of the predictions.
        mask: canonical labels on the cropped grid, uint8 (x, y, z).
        origin: the case and its grid.
        written: value on disk of each label, from `label_values_on_disk`.
        mark: description in the header of the file.
    """
    whole = map_values(uncrop(mask, origin), written)
    write_nifti(mask_path(folder, origin.case), whole, origin.affine, origin.forms, mark)


def write_probabilities(
    folder: Path, probabilities: NDArray[np.float32], origin: Origin, labels: Sequence[int], mark: str = ""
) -> None:
    """Write probabilities to `{case}-probabilities.nii.gz`, float32 (X, Y, Z, 1 + labels), on the grid of the input.

    The last axis has background and then the labels in order. Outside the crop, the probability of background is 1.

    Args:
        folder: folder of the predictions.
        probabilities: probabilities on the cropped grid, float32 (classes, x, y, z).
        origin: the case and its grid.
        labels: labels to write.
        mark: description in the header of the file.
    """
    classes = (0, *labels)
    whole = np.zeros((*origin.shape, len(classes)), np.float32)
    whole[..., 0] = 1
    for index, label in enumerate(classes):
        # Rounded to four digits: the compressed file would be several times as large.
        uncrop(np.round(probabilities[label], 4), origin, out=whole[..., index])
    write_nifti(folder / f"{origin.case}-probabilities.nii.gz", whole, origin.affine, origin.forms, mark)


def read_recorded_prediction(mask: RecordedMask, shape: Sequence[int], affine: ArrayLike) -> NDArray[np.uint8]:
    """Return the predicted mask of a case as canonical labels, uint8 (X, Y, Z).

    Args:
        mask: the mask as the record of the predictions names it.
        shape: voxels of the case along X, Y and Z.
        affine: affine of the case, (4, 4).

    Raises:
        UserError: the file is corrupted, is not the recorded one, or is not on the grid of its case.
    """
    path = mask.path
    remedy: Message = f"delete {mask.path.parent} and run again"
    try:
        volume = read_volume(path, math.prod(shape))
    except VolumeError as error:
        raise UserError(f"{path}: this prediction is corrupted ({error.message}); {remedy}") from None
    if volume.digest != mask.digest:
        raise UserError(f"{path}: this mask was replaced or edited after the prediction; {remedy}")
    voxels = volume.array
    if voxels.shape != tuple(shape) or not same_affine(volume.affine, np.asarray(affine)):
        raise UserError(f"{path}: this prediction is not on the grid of its case; {remedy}")
    labels = {value: label for label, value in mask.written.items()}
    if unknown := sorted(set(np.unique(voxels).tolist()) - set(labels)):
        raise UserError(f"{path}: the value {unknown[0]} is not a label; {remedy}")
    return map_values(voxels.astype(np.uint8), labels)
