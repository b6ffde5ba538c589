"""Bring the mask of a labelled case onto the grid of the atlas, so that no label is lost."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import Grid
from tumorseg.preparation.native_masks import native_mask
from tumorseg.preparation.sampling import Image, sample

MOST_CHANGED: Final = 0.1
"""A label whose volume changes by more than this fraction is worth a warning."""
LEAST_CHANGED_ML: Final = 0.1
"""Changes by less than this are those of single voxels."""


@dataclass(frozen=True, eq=False)
class MovedMask:
    """A mask on the grid of the atlas.

    Attributes:
        labels: uint8 with the shape of the atlas.
        before_ml: volume of each label on the grid of the mask.
        after_ml: volume of each of these labels on the grid of the atlas.
        smaller_than_voxel: labels that are lost, since they had less than the volume of a voxel of the atlas.
        outside: labels that are lost, since they lie outside the atlas.
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
            if abs(change) > max(LEAST_CHANGED_ML, MOST_CHANGED * self.before_ml[label])
        }


def mask_on_atlas(mask: Image, atlas: Grid, matrix: NDArray[np.float64]) -> MovedMask:
    """Return a mask on the grid of the atlas, interpolated once, without holes between its labels.

    The labels are interpolated as in `native_masks.native_mask`. A label that is lost by that, because it is thin or
    small, gets the voxels with its largest shares, as many as its volume has.

    Args:
        mask: labels on the grid of one of the images, uint8.
        atlas: the grid of the atlas.
        matrix: from the atlas's millimetres to those of the mask, (4, 4).
    """
    labels = native_mask(mask, atlas, matrix)
    voxel_ml, atlas_voxel_ml = _voxel_ml(mask), _voxel_ml(atlas)
    before = {label: count * voxel_ml for label, count in _counts(mask.array).items()}
    found = _counts(labels)
    lost = [label for label in before if label not in found]
    small = tuple(label for label in lost if before[label] < atlas_voxel_ml)
    # The smallest label comes last, since it could be lost within a larger one.
    large = sorted((label for label in lost if label not in small), key=lambda label: -before[label])
    kept, free = [], np.ones(labels.shape, np.bool_)
    for label in found if large else ():  # each keeps at least one voxel
        free.flat[np.flatnonzero(labels == label)[0]] = False
    for label in large:
        share = sample(Image(np.pad(mask.array == label, 1).astype(np.float32), _padded_affine(mask)), atlas, matrix)
        share[~free] = 0
        place = _largest(share, round(before[label] / atlas_voxel_ml))
        if place.size:
            labels.flat[place] = label
            free.flat[place] = False
            kept.append(label)
    counts = _counts(labels)
    after = {label: counts.get(label, 0) * atlas_voxel_ml for label in before}
    outside = tuple(label for label in large if not counts.get(label))
    return MovedMask(labels, before, after, small, outside, tuple(kept))


def _counts(array: NDArray[np.uint8]) -> dict[int, int]:
    """Return the number of voxels of each label, without background."""
    labels, counts = np.unique(array[array > 0], return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def _voxel_ml(grid: Grid) -> float:
    return float(abs(np.linalg.det(grid.affine[:3, :3]))) / 1000


def _padded_affine(mask: Image) -> NDArray[np.float64]:
    """Return the affine of a mask with a border of one voxel, beyond which nothing continues."""
    affine = np.array(mask.affine, np.float64)
    affine[:3, 3] -= affine[:3, :3].sum(axis=1)
    return affine


def _largest(share: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Return the flat positions of the largest shares above 0, at most `count` of them."""
    order = np.argsort(-share, axis=None, kind="stable")[: max(count, 1)]
    found: NDArray[np.intp] = order[share.flat[order] > 0]
    return found
