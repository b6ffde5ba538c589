"""The outline of a lesion in one plane, and the longest segments inside it.

The outline runs through the midpoints between voxel centres inside and outside the lesion, as the surface of the
surface metrics does (`metrics.surface_elements`). Voxels that touch at a corner are connected. A row of n voxels is
therefore n voxel edges long.

A segment lies inside if each of its points is in a square of four neighbouring voxel centres of which at least one is
in the lesion. It may therefore cut across a rough border or a gap of one voxel, but not across a gap of two.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

Points = NDArray[np.float64]
"""Points in the plane, (n, 2), in voxels or in mm."""

_SOUTH, _NORTH, _WEST, _EAST = (0.5, 0.0), (0.5, 1.0), (0.0, 0.5), (1.0, 0.5)
_CORNER_CUTS: Final = ((_SOUTH, _WEST), (_SOUTH, _EAST), (_NORTH, _WEST), (_NORTH, _EAST))
"""The edge that separates each corner of a cell from the others. Corner i is (i % 2, i // 2)."""
_ON_LINE: Final = 1e-9
"""A point this near to a line between cells belongs to the cells on both sides."""
_COARSE_STEPS: Final = [
    (np.arange(1, 2 * count, 2) / (2 * count) + 3e-4).reshape(1, -1) for count in (1, 2, 4, 8, 16, 32)
]
"""Points of a segment that are tested first, from 0 to 1: most segments that leave the lesion do so there.

The shift keeps them from voxel centres, where a segment can pass between two cells that touch at a corner.
"""
_FIRST_CHUNK: Final = 32
_LAST_CHUNK: Final = 2048
"""Segments that are tested at once: few at first, because the longest one is often inside."""
_WITHIN_STRIP: Final = 1e-6
"""Distance of a line from the vertex that bounds its strip, as a fraction of the strip's width."""


def _edges_by_code() -> dict[int, tuple[tuple[tuple[float, float], tuple[float, float]], ...]]:
    """Return the edges in a cell by its code, in which bit i is set if corner i is in the lesion."""
    across = {0b0011: ((_WEST, _EAST),), 0b1100: ((_WEST, _EAST),), 0b0101: ((_SOUTH, _NORTH),)}
    across[0b1010] = across[0b0101]
    diagonal = {0b1001: (_CORNER_CUTS[1], _CORNER_CUTS[2]), 0b0110: (_CORNER_CUTS[0], _CORNER_CUTS[3])}
    single = {1 << corner: (cut,) for corner, cut in enumerate(_CORNER_CUTS)}
    missing = {0b1111 - code: cuts for code, cuts in single.items()}
    return {**across, **diagonal, **single, **missing}


_EDGES: Final = _edges_by_code()


@dataclass(frozen=True, eq=False)
class Outline:
    """The outline of a lesion in a plane.

    Attributes:
        vertices: vertices in voxels, (n, 2); the origin is the centre of the plane's first voxel.
        edges: start and end of each edge in voxels, (m, 2, 2).
        cells: whether a segment may pass through each cell, bool. Cell (0, 0) begins one voxel before the origin.
        voxel_mm: maps voxels to mm in the plane: `points @ voxel_mm`, (2, 2).
    """

    vertices: Points
    edges: NDArray[np.float64]
    cells: NDArray[np.bool_]
    voxel_mm: NDArray[np.float64]

    @cached_property
    def hull(self) -> Points:
        """The vertices of the convex hull in voxels."""
        corners: NDArray[np.intp] = ConvexHull(self.vertices @ self.voxel_mm).vertices
        return self.vertices[corners]

    @cached_property
    def product_bound_mm2(self) -> float:
        """An upper bound of the product of two perpendicular segments: twice the area of the convex hull.

        The quadrilateral of the four ends, or a larger part of the hull, has half the product as its area.
        """
        x, y = (self.hull @ self.voxel_mm).T
        return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))

    def length_mm(self, segment: Points) -> float:
        """Return the length of a segment.

        Args:
            segment: its ends in voxels, (2, 2).
        """
        return float(np.linalg.norm((segment[1] - segment[0]) @ self.voxel_mm))

    def width_mm(self, segment: Points) -> float:
        """Return the extent of the outline perpendicular to a segment, the upper bound of perpendicular segments.

        Args:
            segment: its ends in voxels, (2, 2).
        """
        return float(np.ptp(self.hull @ self.voxel_mm @ _axes(self, segment)[:, 1]))

    def contains(self, starts: Points, ends: Points) -> NDArray[np.bool_]:
        """Return whether each segment lies inside.

        Args:
            starts: one end of each segment in voxels, (n, 2).
            ends: the other end, (n, 2).
        """
        inside = np.zeros(len(starts), bool)
        left = self.plausible(starts, ends)
        if left.size:
            starts, ends = starts[left], ends[left]
            inside[left] = self._allow(starts, ends, _steps_between_lines(starts, ends))
        return inside

    def plausible(self, starts: Points, ends: Points) -> NDArray[np.intp]:
        """Return the indices of the segments of which no tested point is outside.

        Args:
            starts: one end of each segment in voxels, (n, 2).
            ends: the other end, (n, 2).
        """
        left = np.arange(len(starts))
        for steps in _COARSE_STEPS:
            left = left[self._allow(starts[left], ends[left], steps)]
        return left

    def _allow(self, starts: Points, ends: Points, steps: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether points of each segment are in allowed cells, at steps (n or 1, k) from 0 to 1."""
        (x, y), (to_x, to_y) = starts.T[..., None] + 1, (ends - starts).T[..., None]
        x, y = x + steps * to_x, y + steps * to_y
        allowed, width = self.cells.ravel(), self.cells.shape[1]
        # Cells on both sides count for a segment that runs along a line between cells.
        sides = [(x + side).astype(np.int32) * width + (y + side).astype(np.int32) for side in (-_ON_LINE, _ON_LINE)]
        inside: NDArray[np.bool_] = (allowed[sides[0]] | allowed[sides[1]]).all(axis=1)
        return inside


def trace_outline(plane: NDArray[np.bool_], voxel_mm: NDArray[np.float64]) -> Outline:
    """Return the outline of a lesion in a plane.

    Args:
        plane: bool (A, B), with at least one True voxel.
        voxel_mm: see `Outline`, (2, 2).
    """
    padded = np.pad(plane, 1).astype(np.uint8)
    between_rows, between_columns = padded[1:] != padded[:-1], padded[:, 1:] != padded[:, :-1]
    vertices = np.concatenate(
        [np.add(np.argwhere(between_rows), (0.5, 0)), np.add(np.argwhere(between_columns), (0, 0.5))]
    )
    codes = padded[:-1, :-1] | padded[1:, :-1] << 1 | padded[:-1, 1:] << 2 | padded[1:, 1:] << 3
    border = np.argwhere((codes > 0) & (codes < 0b1111))
    cells = codes[tuple(border.T)]
    edges = [border[cells == code][:, None, None, :] + np.array(found)[None] for code, found in _EDGES.items()]
    return Outline(vertices - 1, np.concatenate([found.reshape(-1, 2, 2) for found in edges]) - 1, codes > 0, voxel_mm)


def longest_segment(outline: Outline) -> NDArray[np.float64]:
    """Return the ends in voxels, (2, 2), of the longest segment inside an outline whose ends are vertices of it."""
    # The longest of all pairs is a pair of the hull. It is the answer unless the lesion has a dent, a hole or a gap.
    # Otherwise, pairs with one end on the hull exclude most of the others, which are many.
    starts, ends = _pairs(outline, outline.hull, outline.hull)
    inside = _longest(outline, starts, ends)
    if inside is not None and outline.length_mm(inside) >= _lengths_mm(outline, starts, ends).max():
        return inside
    for points in (outline.hull, outline.vertices):
        shorter_mm = 0.0 if inside is None else outline.length_mm(inside)
        starts, ends = _pairs(outline, points, outline.vertices, shorter_mm)
        left = outline.plausible(starts, ends)
        longer = _longest(outline, starts[left], ends[left])
        inside = inside if longer is None else longer
    return np.asarray(inside)  # never None: two vertices of the same voxel are connected


def longest_perpendicular(outline: Outline, segment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ends in voxels, (2, 2), of the longest segment inside an outline that is perpendicular to a segment.

    All perpendicular lines count, not only those through vertices. Between two neighbouring vertices the length is a
    linear function of the position, so that the lines beside the vertices are enough.

    Args:
        outline: the outline.
        segment: ends of the segment in voxels, (2, 2).
    """
    axes = _axes(outline, segment)
    edges = outline.edges @ outline.voxel_mm @ axes
    positions = np.unique(edges[..., 0])
    low, high = positions[:-1], positions[1:]
    low, high = low[high - low > _ON_LINE], high[high - low > _ON_LINE]
    shift = (high - low) * _WITHIN_STRIP
    lines = np.concatenate([low + shift, high - shift])
    across = _crossings(edges, lines)
    counts = np.isfinite(across).sum(axis=1)
    starts, ends = [], []
    for first, last in combinations(range(across.shape[1]), 2):
        if first % 2 == 0 and last % 2 == 1:  # a line enters the lesion at even crossings and leaves it at odd ones
            chosen = counts > last
            starts.append(np.stack([lines[chosen], across[chosen, first]], axis=1))
            ends.append(np.stack([lines[chosen], across[chosen, last]], axis=1))
    back = np.linalg.inv(outline.voxel_mm @ axes)
    found = _longest(outline, np.concatenate(starts) @ back, np.concatenate(ends) @ back)
    return np.asarray(found)  # never None: the part of a line between two crossings is inside


def _axes(outline: Outline, segment: Points) -> NDArray[np.float64]:
    """Return the unit vectors, in mm, along a segment and across it as columns, (2, 2)."""
    along = (segment[1] - segment[0]) @ outline.voxel_mm
    along /= np.linalg.norm(along)
    return np.stack([along, [-along[1], along[0]]], axis=1)


def _crossings(edges: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where lines cross edges: for each line the sorted positions across, filled up with infinity.

    Args:
        edges: ends of each edge as (position along, position across), (m, 2, 2).
        lines: position along of each line, none of which is a vertex's, (n,).
    """
    (first, start), (second, end) = edges[:, 0].T, edges[:, 1].T
    crossed = (lines[:, None] > np.minimum(first, second)) & (lines[:, None] < np.maximum(first, second))
    line, edge = np.nonzero(crossed)
    share = (lines[line] - first[edge]) / (second[edge] - first[edge])
    positions = np.full(crossed.shape, np.inf)
    positions[line, edge] = start[edge] + share * (end[edge] - start[edge])
    positions.sort(axis=1)
    return positions[:, : int(crossed.sum(axis=1).max())]


def _longest(outline: Outline, starts: Points, ends: Points) -> NDArray[np.float64] | None:
    """Return the ends of the longest of some segments that lies inside; None if none does."""
    order = np.argsort(-_lengths_mm(outline, starts, ends), kind="stable")
    first, size = 0, _FIRST_CHUNK
    while first < len(order):
        chunk = order[first : first + size]
        inside = outline.contains(starts[chunk], ends[chunk])
        if inside.any():
            best = chunk[int(np.argmax(inside))]
            return np.stack([starts[best], ends[best]])
        first, size = first + size, min(2 * size, _LAST_CHUNK)
    return None


def _pairs(outline: Outline, first: Points, second: Points, shorter_mm: float = 0.0) -> tuple[Points, Points]:
    """Return both points, in voxels, of the pairs between two sets that are farther apart than a length."""
    (x, y), (other_x, other_y) = (first @ outline.voxel_mm).T, (second @ outline.voxel_mm).T
    squares = (x[:, None] - other_x) ** 2 + (y[:, None] - other_y) ** 2
    one, other = np.nonzero(squares > shorter_mm**2)
    return first[one], second[other]


def _lengths_mm(outline: Outline, starts: Points, ends: Points) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm((ends - starts) @ outline.voxel_mm, axis=1)
    return lengths


def _steps_between_lines(starts: Points, ends: Points) -> NDArray[np.float64]:
    """Return a step, from 0 to 1, within each cell that a segment passes, (n, k)."""
    steps = [np.zeros((len(starts), 1)), np.ones((len(starts), 1))]
    for axis in (0, 1):
        low, high = np.minimum(starts, ends)[:, axis], np.maximum(starts, ends)[:, axis]
        lines = np.ceil(low)[:, None] + np.arange(int(np.ceil((high - low).max())) + 1)
        length = (ends - starts)[:, axis, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            step = (lines - starts[:, axis, None]) / length
        steps.append(np.where((length != 0) & (lines < high[:, None]), step, 1.0))
    lines = np.sort(np.concatenate(steps, axis=1), axis=1)
    return (lines[:, 1:] + lines[:, :-1]) / 2
