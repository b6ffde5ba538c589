"""Surface elements of a mask: the code and the surface area of each 2x2x2 cell of voxels.

The surface is the marching-cubes surface (Lorensen and Cline 1987, doi:10.1145/37402.37422) through the midpoints of
the edges between inside and outside. The areas equal those of DeepMind's `surface-distance`.
"""

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

Spacing = tuple[float, float, float]
"""Voxel edges along X, Y and Z in mm."""

_Voxel = tuple[int, int, int]
_CELL_VOXELS: Final[tuple[_Voxel, ...]] = tuple(product((0, 1), (0, 1), (0, 1)))
"""The positions of the voxels in a cell. The index of a voxel is its bit in the cell's code."""


def cell_codes(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the code of each 2x2x2 cell of a mask that is surrounded by background.

    Args:
        mask: bool (X, Y, Z).

    Returns:
        The codes, uint8 (X + 1, Y + 1, Z + 1). Bit i is set if voxel i of the cell is inside the mask.
    """
    padded = np.pad(mask, 1).view(np.uint8)
    codes = np.zeros([side + 1 for side in mask.shape], np.uint8)
    for bit, (i, j, k) in enumerate(_CELL_VOXELS):
        x, y, z = codes.shape
        codes |= padded[i : i + x, j : j + y, k : k + z] << np.uint8(bit)
    return codes


@lru_cache(maxsize=8)
def cell_areas(spacing_mm: Spacing) -> NDArray[np.float64]:
    """Return the surface area in a 2x2x2 cell for each of the 256 codes.

    Each group of face-connected voxels has a surface of its own, and the areas of the groups add up. Inside and outside
    have the same surface, so only the smaller set, of at most four voxels, is measured.

    Args:
        spacing_mm: voxel edges along X, Y and Z.

    Returns:
        The areas in mm² by code, float64 (256,), read-only.
    """
    areas = np.zeros(256)
    for code in range(256):
        voxels = [voxel for bit, voxel in enumerate(_CELL_VOXELS) if code >> bit & 1]
        if len(voxels) > 4:
            voxels = [voxel for voxel in _CELL_VOXELS if voxel not in voxels]
        areas[code] = sum(_group_area(group, spacing_mm) for group in _connected_groups(voxels))
    areas.setflags(write=False)
    return areas


def _connected_groups(voxels: list[_Voxel]) -> list[list[_Voxel]]:
    """Return the groups of voxels of a cell that are connected across faces."""
    groups: list[list[_Voxel]] = []
    for voxel in voxels:
        touching = [group for group in groups if any(_shared_face_axis(voxel, other) is not None for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([voxel, *(other for group in touching for other in group)])
    return groups


def _shared_face_axis(one: _Voxel, other: _Voxel) -> int | None:
    """Return the axis across which two voxels of a cell share a face; None if they share none."""
    differing = [axis for axis in range(3) if one[axis] != other[axis]]
    return differing[0] if len(differing) == 1 else None


def _group_area(group: list[_Voxel], spacing_mm: Spacing) -> float:
    """Return the area in mm² of the surface around a group of one to four voxels, through midpoints of edges."""
    x, y, z = spacing_mm
    faces = np.array([y * z, x * z, x * y])  # mm², of the voxel face perpendicular to each axis
    corner = float(np.linalg.norm(faces))  # eight times the triangle that cuts off one voxel
    # Twice the rectangle that cuts off two voxels in a row, by the axis of the row.
    row = [float(np.linalg.norm(np.delete(faces, axis))) for axis in range(3)]
    pairs = [
        axis
        for i, one in enumerate(group)
        for other in group[:i]
        if (axis := _shared_face_axis(one, other)) is not None
    ]
    degrees = [sum(_shared_face_axis(one, other) is not None for other in group) for one in group]
    if len(group) == 1:
        return corner / 8
    if len(group) == 2:
        return row[pairs[0]] / 2
    normal = next((axis for axis in range(3) if axis not in pairs), None)  # of the plane of a flat group
    if len(group) == 3:  # an L
        return corner * 3 / 8 + float(faces[normal]) / 2
    if normal is not None:  # a square
        return float(faces[normal])
    if max(degrees) == 3:  # a voxel and its three neighbours
        return corner * 3 / 4
    # A chain along all three axes. Its area depends on the axes of its two ends.
    ends = [one for one, degree in zip(group, degrees, strict=True) if degree == 1]
    along = [axis for one in ends for other in group if (axis := _shared_face_axis(one, other)) is not None]
    return corner / 2 + sum(row[axis] for axis in along) / 4
