"""Bounding boxes, and the comparison of the grids of volumes."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tumorseg.errors import Message

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Start and stop along each axis."""


def bounding_box(mask: NDArray[np.bool_], margin_voxels: int = 0) -> Box:
    """Return the smallest box around the True voxels of a mask, widened by a margin within the grid.

    Args:
        mask: of shape (X, Y, Z).
        margin_voxels: voxels added on each side.

    Returns:
        The box; the whole grid if no voxel is True.
    """
    plane: NDArray[np.bool_] = np.any(mask, axis=2)
    if not plane.any():
        x, y, z = mask.shape
        return ((0, x), (0, y), (0, z))
    along: list[NDArray[np.bool_]] = [np.any(plane, axis=1), np.any(plane, axis=0), np.any(mask, axis=(0, 1))]
    first, second, third = (_extent(axis, margin_voxels) for axis in along)
    return (first, second, third)


def box_slices(box: Box) -> tuple[slice, slice, slice]:
    """Return a box as an index into an array of shape (X, Y, Z)."""
    first, second, third = (slice(start, stop) for start, stop in box)
    return (first, second, third)


def _extent(projection: NDArray[Any], margin_voxels: int) -> tuple[int, int]:
    where = np.flatnonzero(projection)
    return (max(0, int(where[0]) - margin_voxels), min(projection.size, int(where[-1]) + 1 + margin_voxels))


AFFINE_TOLERANCE_MM: Final = 1e-3
"""Affines whose entries differ by at most this are considered equal."""


class Grid(Protocol):
    """A volume on a grid: voxels along each axis, and the affine (4x4) from voxel indices to millimetres."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def affine(self) -> NDArray[np.float64]: ...  # noqa: D102


def format_shape(shape: Sequence[int]) -> str:
    """Return a shape as text, such as 240x240x155."""
    return "x".join(map(str, shape))


def format_spacing(spacing_mm: Sequence[float]) -> Message:
    """Return the voxel size as text, such as `1 x 1 x 5 mm`, or `2.5 mm` if all edges are equal."""
    edges = [f"{edge:.4g}" for edge in spacing_mm]
    return f"{edges[0] if len(set(edges)) == 1 else ' x '.join(edges)} mm"


def same_affine(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether two affines are equal within the tolerance.

    Args:
        one: affine from voxel indices to millimetres, (4, 4).
        other: affine to compare with it, (4, 4).
    """
    return bool(np.abs(one - other).max() <= AFFINE_TOLERANCE_MM)


def same_grid(one: Grid, other: Grid) -> bool:
    """Return whether two volumes have the same shape and, within the tolerance, the same affine."""
    return one.shape == other.shape and same_affine(one.affine, other.affine)
