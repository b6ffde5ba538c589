"""Surface elements of a mask: the code and the surface area of each 2x2x2 neighbourhood of voxels.

The surface is that of marching cubes (Lorensen and Cline 1987, doi:10.1145/37402.37422) through the midpoints of the
edges between inside and outside, with the areas of DeepMind's `surface-distance`.
"""

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

Spacing = tuple[float, float, float]
"""Voxel edges in mm."""

_Voxel = tuple[int, int, int]
_CELL_VOXELS: Final[tuple[_Voxel, ...]] = tuple(product((0, 1), (0, 1), (0, 1)))
"""The voxels of a cell; the number of each is the bit that it sets in the cell's code."""


def cell_codes(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The code of each 2x2x2 cell of a mask (x, y, z) with background around it: (x + 1, y + 1, z + 1)."""
    padded = np.pad(mask, 1).view(np.uint8)
    codes = np.zeros([side + 1 for side in mask.shape], np.uint8)
    for bit, (i, j, k) in enumerate(_CELL_VOXELS):
        x, y, z = codes.shape
        codes |= padded[i : i + x, j : j + y, k : k + z] << np.uint8(bit)
    return codes


@lru_cache(maxsize=8)
def cell_areas(spacing_mm: Spacing) -> NDArray[np.float64]:
    """The area (mm²) of the surface in a 2x2x2 cell, for each of the 256 codes of the voxels that are inside.

    A voxel with no neighbour of its kind across a face of the cell is cut off by a surface of its own, so that areas of
    connected groups of voxels add up; inside and outside are alike, so that at most four voxels have to be looked at.
    """
    areas = np.zeros(256)
    for code in range(256):
        voxels = [corner for bit, corner in enumerate(_CELL_VOXELS) if code >> bit & 1]
        if len(voxels) > 4:
            voxels = [corner for corner in _CELL_VOXELS if corner not in voxels]
        areas[code] = sum(_group_area(group, spacing_mm) for group in _connected_groups(voxels))
    areas.setflags(write=False)
    return areas


def _connected_groups(voxels: list[_Voxel]) -> list[list[_Voxel]]:
    """Voxels of a cell, in groups connected across faces."""
    groups: list[list[_Voxel]] = []
    for voxel in voxels:
        touching = [group for group in groups if any(_shared_face_axis(voxel, other) is not None for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([voxel, *(other for group in touching for other in group)])
    return groups


def _shared_face_axis(one: _Voxel, other: _Voxel) -> int | None:
    """The axis along which two voxels of a cell are face to face, None where they are not."""
    differing = [axis for axis in range(3) if one[axis] != other[axis]]
    return differing[0] if len(differing) == 1 else None


def _group_area(group: list[_Voxel], spacing_mm: Spacing) -> float:
    """The area of the surface around one group of one to four voxels: triangles between the middles of edges."""
    x, y, z = spacing_mm
    faces = np.array([y * z, x * z, x * y])  # area of a voxel's face across each axis
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
    across = next((axis for axis in range(3) if axis not in pairs), None)  # of a flat group
    if len(group) == 3:  # round a corner
        return corner * 3 / 8 + float(faces[across]) / 2
    if across is not None:  # a square
        return float(faces[across])
    if max(degrees) == 3:  # one and its three neighbours
        return corner * 3 / 4
    # A chain along all three axes, of which its two ends decide.
    ends = [one for one, degree in zip(group, degrees, strict=True) if degree == 1]
    along = [axis for one in ends for other in group if (axis := _shared_face_axis(one, other)) is not None]
    return corner / 2 + sum(row[axis] for axis in along) / 4
