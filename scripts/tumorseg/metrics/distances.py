"""Exact distances from each point of a set to the nearest point of another set, on a voxel grid."""

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from tumorseg.metrics.surface_elements import Spacing

_SEARCH_STEPS: Final = 3
"""Search radius, in steps along an axis, before the k-d tree is used. Most points of a good prediction are nearer."""


def nearest_distances(source: NDArray[np.bool_], target: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Return the distance of each source point to the nearest target point.

    Args:
        source: points to measure from, bool (X, Y, Z).
        target: points to measure to, bool, of the same shape, not empty.
        spacing_mm: distance between neighbouring points along X, Y and Z.

    Returns:
        Distances in mm, float64 (source points,), in C order of the points.
    """
    points = _points(source)
    distances = np.zeros(len(points))
    remaining = _search_neighbourhood(points, np.pad(target, _SEARCH_STEPS), spacing_mm, distances)
    if remaining.size:
        targets, edges = _points(target), np.asarray(spacing_mm)
        tree = KDTree(targets * edges, leafsize=32, balanced_tree=False, compact_nodes=False)
        _, nearest = tree.query(points[remaining] * edges)
        # Computed from whole steps, as in the neighbourhood search, so that equal steps give bit-identical distances.
        distances[remaining] = _step_lengths_mm(points[remaining] - targets[nearest], spacing_mm)
    return distances


def _points(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the indices (n, 3) of the True voxels, in C order. Several times faster than np.argwhere."""
    return np.stack(np.unravel_index(np.flatnonzero(mask), mask.shape), axis=1)


def _search_neighbourhood(
    points: NDArray[np.intp], padded_target: NDArray[np.bool_], spacing_mm: Spacing, distances: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Fill in the distances of points with a target nearby. Return the indices of the other points."""
    strides = np.array([padded_target.shape[1] * padded_target.shape[2], padded_target.shape[2], 1])
    flat_indices = (points + _SEARCH_STEPS) @ strides
    targets = padded_target.ravel()
    remaining = np.arange(len(points))
    steps, lengths = _sorted_steps(spacing_mm)
    for step, length in zip(steps @ strides, lengths, strict=True):
        found = targets[flat_indices[remaining] + step]
        distances[remaining[found]] = length
        remaining = remaining[~found]
        if not remaining.size:
            break
    return remaining


@lru_cache(maxsize=8)
def _sorted_steps(spacing_mm: Spacing) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the steps (n, 3) of at most `_SEARCH_STEPS` shortest edges, and their lengths in mm, ascending."""
    steps = np.array(list(product(range(-_SEARCH_STEPS, _SEARCH_STEPS + 1), repeat=3)))
    lengths = _step_lengths_mm(steps, spacing_mm)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] <= _SEARCH_STEPS * min(spacing_mm)]
    return steps[order], lengths[order]


def _step_lengths_mm(steps: NDArray[np.intp], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Return the lengths in mm of steps (n, 3) between grid points."""
    squares = np.square(steps * np.asarray(spacing_mm))
    lengths: NDArray[np.float64] = np.sqrt(squares.sum(axis=1))
    return lengths
