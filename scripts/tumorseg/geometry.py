"""Boxes of voxels, and volumes with their axes permuted and flipped to other anatomical directions.

Nothing here is resampled.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tumorseg.errors import Message

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Start and stop along each axis."""


def bounding_box(mask: NDArray[np.bool_], margin_voxels: int = 0) -> Box:
    """The smallest box around the True voxels of `shown` (X, Y, Z), wider by `margin` voxels where the grid allows.

    No True voxel at all gives the whole grid.
    """
    plane: NDArray[np.bool_] = np.any(mask, axis=2)
    if not plane.any():
        x, y, z = mask.shape
        return ((0, x), (0, y), (0, z))
    along: list[NDArray[np.bool_]] = [np.any(plane, axis=1), np.any(plane, axis=0), np.any(mask, axis=(0, 1))]
    first, second, third = (_extent(axis, margin_voxels) for axis in along)
    return (first, second, third)


def box_slices(box: Box) -> tuple[slice, slice, slice]:
    """The box as an index of an array (X, Y, Z)."""
    first, second, third = (slice(start, stop) for start, stop in box)
    return (first, second, third)


def _extent(projection: NDArray[Any], margin_voxels: int) -> tuple[int, int]:
    where = np.flatnonzero(projection)
    return (max(0, int(where[0]) - margin_voxels), min(projection.size, int(where[-1]) + 1 + margin_voxels))


AFFINE_TOLERANCE_MM: Final = 1e-3
"""Entries of two affines (millimetres) that differ by no more than this are the same."""


class Grid(Protocol):
    """Whatever lies on a grid: voxels along each axis, voxel to millimetres (4x4)."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def affine(self) -> NDArray[np.float64]: ...  # noqa: D102


def format_shape(shape: Sequence[int]) -> str:
    """A shape as people write it: 240x240x155."""
    return "x".join(map(str, shape))


def format_spacing(spacing_mm: Sequence[float]) -> Message:
    """Voxel edges in millimetres as people write them: 1 x 1 x 5 mm, or 2.5 mm where all are equal."""
    edges = [f"{edge:.4g}" for edge in spacing_mm]
    return f"{edges[0] if len(set(edges)) == 1 else ' x '.join(edges)} mm"


def same_affine(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two affines place a voxel at the same point, within the tolerance."""
    return bool(np.abs(one - other).max() <= AFFINE_TOLERANCE_MM)


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether two volumes have one shape and, within the tolerance, one affine."""
    return one.shape == other.shape and same_affine(one.affine, other.affine)
