"""Reads and writes predicted masks: on the grid of the input, with the label values of the input's masks."""

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
from tumorseg.task import Task


def label_values_on_disk(task: Task, case_convention: str | None, cohort_convention: str | None) -> dict[int, int]:
    """The value on disk of each label of a task, background included.

    own: the convention of the case's own mask; None where that does not show it, or where there is no mask. of_cohort:
    the convention that then decides; where it is mixed or unknown too, the task's last one does.
    """
    known = list(task.conventions)
    return task.written(next((name for name in (case_convention, cohort_convention) if name in known), known[-1]))


def write_prediction(
    folder: Path, mask: NDArray[np.uint8], origin: Origin, written: Mapping[int, int], mark: str = ""
) -> None:
    """Write a mask of labels on the cropped grid (x, y, z) to `{case}.nii.gz` in `folder`, uint8.

    written: the value on disk of each label, as `written_values` returns them. mark: the description in the file's
    header.
    """
    whole = _map_values(uncrop(mask, origin), written)
    write_nifti(mask_path(folder, origin.case), whole, origin.affine, origin.forms, mark)


def write_probabilities(
    folder: Path, probabilities: NDArray[np.float32], origin: Origin, labels: Sequence[int], mark: str = ""
) -> None:
    """Write (classes, x, y, z) on the cropped grid to `{case}-probabilities.nii.gz`, float32 (X, Y, Z, 1 + labels).

    Last axis: background and the labels, in order. Rounded to four digits, without which the file is several times as
    large. Beyond the crop all is background. mark: the description in the file's header.
    """
    classes = (0, *labels)
    whole = np.zeros((*origin.shape, len(classes)), np.float32)
    whole[..., 0] = 1
    for place, label in enumerate(classes):
        uncrop(np.round(probabilities[label], 4), origin, out=whole[..., place])
    write_nifti(folder / f"{origin.case}-probabilities.nii.gz", whole, origin.affine, origin.forms, mark)


def read_prediction(mask: RecordedMask, shape: Sequence[int], affine: ArrayLike) -> NDArray[np.uint8]:
    """The predicted mask of a case, labels of the task, uint8 of `shape` (X, Y, Z).

    Raises UserError where it is damaged, is not the file that was predicted, or is not on the grid of its case.
    """
    path = mask.path
    remedy: Message = f"delete {mask.path.parent} and run again"
    try:
        volume = read_volume(path, math.prod(shape))
    except VolumeError as damage:
        raise UserError(f"{path}: this prediction is damaged ({damage.message}); {remedy}") from None
    if volume.digest != mask.digest:
        raise UserError(f"{path}: this mask was replaced or edited after it was predicted; {remedy}")
    voxels = volume.array
    if voxels.shape != tuple(shape) or not same_affine(volume.affine, np.asarray(affine)):
        raise UserError(f"{path}: this prediction is not on the grid of its case; {remedy}")
    labels = {value: label for label, value in mask.written.items()}
    if unknown := sorted(set(np.unique(voxels).tolist()) - set(labels)):
        raise UserError(f"{path}: the value {unknown[0]} is no label; {remedy}")
    return _map_values(voxels.astype(np.uint8), labels)


def _map_values(mask: NDArray[np.uint8], values: Mapping[int, int]) -> NDArray[np.uint8]:
    """A copy of a mask with each value replaced as `values` says; one that is not named there becomes 0."""
    table = np.zeros(256, np.uint8)
    table[list(values)] = list(values.values())
    translated: NDArray[np.uint8] = table[mask]
    return translated
