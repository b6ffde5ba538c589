"""Bring a mask onto another grid, so that no label is lost, and say how much its volumes changed.

Masks of labelled cases go to the grid of the atlas, and masks of new patients from there back to their images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.formatting import format_list
from tumorseg.geometry import Grid, box_slices
from tumorseg.preparation.native_masks import label_share, native_mask
from tumorseg.preparation.sampling import Image

_MOST_CHANGED: Final = 0.1
"""A label whose volume changes by more than this fraction is worth a warning."""
_LEAST_CHANGED_ML: Final = 0.1
"""Changes by less than this are those of single voxels."""
_LOOK: Final[Message] = "look at the mask"
_NO_TITLES: Final[Mapping[int, str]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class MovedMask:
    """A mask on another grid.

    Attributes:
        labels: uint8 with the shape of the other grid.
        before_ml: volume of each label on the grid of the mask.
        after_ml: volume of each of these labels on the other grid.
        smaller_than_voxel: labels that are lost, since they had less than the volume of a voxel of the other grid.
        outside: labels that are lost, since they lie outside the other grid.
        kept: labels that interpolation alone would have lost.
    """

    labels: NDArray[np.uint8]
    before_ml: dict[int, float]
    after_ml: dict[int, float]
    smaller_than_voxel: tuple[int, ...]
    outside: tuple[int, ...]
    kept: tuple[int, ...]

    def changed_volumes(self) -> dict[int, float]:
        """Return by how much the volume of each label has changed, as a fraction, if that is too much."""
        changes = {label: self.after_ml[label] - before for label, before in self.before_ml.items()}
        return {
            label: change / self.before_ml[label]
            for label, change in changes.items()
            if abs(change) > max(_LEAST_CHANGED_ML, _MOST_CHANGED * self.before_ml[label])
        }


def move_mask(mask: Image, grid: Grid, matrix: NDArray[np.float64]) -> MovedMask:
    """Return a mask on another grid, interpolated once, without holes between its labels.

    The labels are interpolated as in `native_masks.native_mask`. A label that is lost by that, because it is thin or
    small, gets the voxels with its largest shares, as many as its volume has.

    Args:
        mask: labels, uint8.
        grid: the other grid.
        matrix: from the other grid's millimetres to those of the mask, (4, 4).
    """
    labels = native_mask(mask, grid, matrix)
    voxel_ml, new_voxel_ml = _voxel_ml(mask), _voxel_ml(grid)
    before = {label: count * voxel_ml for label, count in _counts(mask.array).items()}
    found = _counts(labels)
    lost = [label for label in before if label not in found]
    small = tuple(label for label in lost if before[label] < new_voxel_ml)
    # The smallest label comes last, since it could be lost within a larger one.
    large = sorted((label for label in lost if label not in small), key=lambda label: -before[label])
    kept, free = [], np.ones(labels.shape, np.bool_)
    for label in found if large else ():  # each keeps at least one voxel
        free.flat[np.flatnonzero(labels == label)[0]] = False
    for label in large:
        box, share = label_share(mask, label, grid, matrix)
        labels_there, free_there = labels[box_slices(box)], free[box_slices(box)]
        share[~free_there] = 0
        place = _largest(share, round(before[label] / new_voxel_ml))
        if place.size:
            labels_there.flat[place] = label
            free_there.flat[place] = False
            kept.append(label)
    counts = _counts(labels)
    after = {label: counts.get(label, 0) * new_voxel_ml for label in before}
    outside = tuple(label for label in large if not counts.get(label))
    return MovedMask(labels, before, after, small, outside, tuple(kept))


def moved_mask_warnings(
    moved: MovedMask, file: str, place: str, titles: Mapping[int, str] = _NO_TITLES, advice: Message = _LOOK
) -> list[Issue]:
    """Return warnings about labels that were lost or changed.

    Args:
        moved: the mask.
        file: the file that the warnings are about.
        place: how messages name the other grid, such as `the atlas`.
        titles: title of each value of the mask, if it is known.
        advice: what the user can do about a changed volume.
    """
    warnings = []
    if small := moved.smaller_than_voxel:
        volumes = format_list([f"{1000 * moved.before_ml[label]:.2g} mm³" for label in small])
        message = f"{values_of_mask(small, titles)} is lost: {volumes} is less than a voxel of {place}"
        warnings.append(Issue("label_lost", file, message))
    if moved.outside:
        message = f"{values_of_mask(moved.outside, titles)} lies outside {place} and is lost there"
        warnings.append(Issue("label_lost", file, message))
    if moved.kept:
        thin = f"{values_of_mask(moved.kept, titles)} is so thin on {place} that it was placed by its volume"
        warnings.append(Issue("label_voxels_kept", file, f"{thin}; {_LOOK}"))
    lost = (*moved.smaller_than_voxel, *moved.outside)
    parts = [
        f"value {_named(label, titles)} from {moved.before_ml[label]:.2f} to {moved.after_ml[label]:.2f} ml"
        for label in moved.changed_volumes()
        if label not in lost
    ]
    if parts:
        message = f"on {place}, volumes differ by more than {100 * _MOST_CHANGED:g} %: {format_list(parts)}; {advice}"
        warnings.append(Issue("mask_volume_changed", file, message))
    return warnings


def values_of_mask(labels: Sequence[int], titles: Mapping[int, str] = _NO_TITLES) -> str:
    """Return values of a mask in words, with their titles if these are known."""
    return f"value {format_list([_named(label, titles) for label in labels])} of the mask"


def _named(label: int, titles: Mapping[int, str]) -> str:
    return f"{label} ({titles[label]})" if label in titles else str(label)


def _counts(array: NDArray[np.uint8]) -> dict[int, int]:
    """Return the number of voxels of each label, without background."""
    labels, counts = np.unique(array[array > 0], return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def _voxel_ml(grid: Grid) -> float:
    return float(abs(np.linalg.det(grid.affine[:3, :3]))) / 1000


def _largest(share: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Return the flat positions of the largest shares above 0, at most `count` of them."""
    order = np.argsort(-share, axis=None, kind="stable")[: max(count, 1)]
    found: NDArray[np.intp] = order[share.flat[order] > 0]
    return found
