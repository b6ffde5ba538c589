"""Displace tissue around a growing or shrinking region: mass effect of tumours, and size of the ventricles."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_STEEPEST: Final = 0.55
"""Largest shift as a fraction of the reach: beyond it, tissue would fold."""
_SURFACE_MM: Final = 14.0
"""Below this depth, the skull holds tissue back."""


def push_outwards(
    region: NDArray[np.bool_], depth_mm: NDArray[np.float64], spacing_mm: float, *, shift_mm: float, reach_mm: float
) -> NDArray[np.float32]:
    """Return by how much tissue moves away from a region.

    The shift follows the gradient of the blurred region: it is largest at the region's border and decreases with the
    distance. It vanishes at the surface of the brain.

    Args:
        region: what grows (X, Y, Z).
        depth_mm: distance of each voxel of the brain to its surface (X, Y, Z).
        spacing_mm: edge of a voxel.
        shift_mm: largest shift; negative for a region that shrinks.
        reach_mm: distance over which the shift decreases.

    Returns:
        Shift of the tissue that arrives at each voxel, in millimetres along each axis of the grid (3, X, Y, Z).
    """
    blurred = ndimage.gaussian_filter(region.astype(np.float32), reach_mm / spacing_mm, truncate=3)
    outwards = -np.stack(np.gradient(blurred))
    length = np.sqrt((outwards**2).sum(axis=0))
    largest = float(length.max())
    if largest == 0:
        return np.zeros_like(outwards)
    bounded = float(np.clip(shift_mm, -_STEEPEST * reach_mm, _STEEPEST * reach_mm))
    held = np.clip(depth_mm / _SURFACE_MM, 0, 1).astype(np.float32)
    shift: NDArray[np.float32] = outwards * (np.float32(bounded / largest) * held)
    return shift


def shifted_positions(
    positions: NDArray[np.float32], shift: NDArray[np.float32], linear: NDArray[np.float64], signs: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the points of the template that the voxels show after a shift of the tissue.

    Args:
        positions: point of the template that each voxel shows before it, in millimetres (3, X, Y, Z).
        shift: shift of the tissue that arrives at each voxel, in millimetres along the axes of the grid (3, X, Y, Z).
        linear: linear part of the map from the grid's millimetres to the template's (3, 3).
        signs: direction of each axis of the grid, 1 or -1 (3,).
    """
    matrix = (linear * signs).astype(np.float32)
    moved: NDArray[np.float32] = positions - np.einsum("ij,jxyz->ixyz", matrix, shift)
    return moved
