"""Boxes of voxels: the smallest one around a structure, and the part of an array in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Start and stop along each axis."""


def box_around(shown: NDArray[np.bool_], margin: int = 0) -> Box:
    """The smallest box around the True voxels of `shown` (X, Y, Z), wider by `margin` voxels where the grid allows.

    No True voxel at all gives the whole grid.
    """
    plane: NDArray[np.bool_] = np.any(shown, axis=2)
    if not plane.any():
        x, y, z = shown.shape
        return ((0, x), (0, y), (0, z))
    along: list[NDArray[np.bool_]] = [np.any(plane, axis=1), np.any(plane, axis=0), np.any(shown, axis=(0, 1))]
    first, second, third = (_extent(axis, margin) for axis in along)
    return (first, second, third)


def box_slices(box: Box) -> tuple[slice, slice, slice]:
    """The box as an index of an array (X, Y, Z)."""
    first, second, third = (slice(start, stop) for start, stop in box)
    return (first, second, third)


def _extent(shown: NDArray[Any], margin: int) -> tuple[int, int]:
    where = np.flatnonzero(shown)
    return (max(0, int(where[0]) - margin), min(shown.size, int(where[-1]) + 1 + margin))
