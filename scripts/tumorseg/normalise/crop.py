"""The box around the brain that is kept of a case, and the way back to the whole grid."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.normalise.store import Origin

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Start and stop along each axis."""


def brain_of(images: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Voxels that are not zero in any of the images (X, Y, Z), which have one shape."""
    brain: NDArray[np.bool_] = images[0] != 0
    shown = np.empty_like(brain)  # once: fresh memory for each comparison would double the time
    for image in images[1:]:
        np.not_equal(image, 0, out=shown)
        np.logical_or(brain, shown, out=brain)
    return brain


def brain_box(brain: NDArray[np.bool_], margin: int) -> Box:
    """The smallest box around the True voxels of `brain` (X, Y, Z), wider by `margin` voxels where the grid allows.

    A brain without any voxel gives the whole grid.
    """
    if not brain.any():
        x, y, z = brain.shape
        return ((0, x), (0, y), (0, z))
    plane: NDArray[np.bool_] = np.any(brain, axis=2)
    shown: list[NDArray[np.bool_]] = [np.any(plane, axis=1), np.any(plane, axis=0), np.any(brain, axis=(0, 1))]
    first, second, third = (_extent(along, margin) for along in shown)
    return (first, second, third)


def box_slices(box: Box) -> tuple[slice, slice, slice]:
    """The box as an index of an array (X, Y, Z)."""
    first, second, third = (slice(start, stop) for start, stop in box)
    return (first, second, third)


def uncrop(mask: NDArray[np.uint8], origin: Origin) -> NDArray[np.uint8]:
    """A mask on the cropped grid (x, y, z), put back in its place on the original grid (X, Y, Z); 0 elsewhere."""
    whole = np.zeros(origin.shape, np.uint8)
    whole[box_slices(origin.crop)] = mask
    return whole


def _extent(shown: NDArray[np.bool_], margin: int) -> tuple[int, int]:
    where = np.flatnonzero(shown)
    return (max(0, int(where[0]) - margin), min(shown.size, int(where[-1]) + 1 + margin))
