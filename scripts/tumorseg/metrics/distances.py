"""Compute exact distances from each point of one set to the nearest point of another, on a voxel grid."""

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from tumorseg.metrics.surface_elements import Spacing

_SEARCH_STEPS: Final = 3
"""Steps along an axis within which neighbours are looked at one by one: most points of a good prediction are nearer."""


def nearest_distances(source: NDArray[np.bool_], target: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Distance (mm) of each True point of `own` to the nearest one of `other`, of one shape (x, y, z), in C order.

    spacing: mm between points. There is a point in `other`.
    """
    points = np.argwhere(source)
    distances = np.zeros(len(points))
    left = _search_neighbourhood(points, np.pad(target, _SEARCH_STEPS), spacing_mm, distances)
    if left.size:
        others, edges = np.argwhere(target), np.asarray(spacing_mm)
        tree = KDTree(others * edges, leafsize=32, balanced_tree=False, compact_nodes=False)
        _, nearest = tree.query(points[left] * edges)
        # From whole steps, as for the near ones: equal steps are equally far wherever they are taken.
        distances[left] = _step_lengths_mm(points[left] - others[nearest], spacing_mm)
    return distances


def _search_neighbourhood(
    points: NDArray[np.intp], padded: NDArray[np.bool_], spacing_mm: Spacing, distances: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Fill in the distances of points that have another one near, and return which of them have none.

    padded: the other points, with `_REACH` of nothing around them.
    """
    strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    places = (points + _SEARCH_STEPS) @ strides
    others = padded.ravel()
    left = np.arange(len(points))
    steps, lengths = _sorted_steps(spacing_mm)
    for step, length in zip(steps @ strides, lengths, strict=True):
        met = others[places[left] + step]
        distances[left[met]] = length
        left = left[~met]
        if not left.size:
            break
    return left


@lru_cache(maxsize=8)
def _sorted_steps(spacing_mm: Spacing) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """All steps that are no longer than `_REACH` of the shortest edge, (n, 3), and their lengths in mm, ascending."""
    steps = np.array(list(product(range(-_SEARCH_STEPS, _SEARCH_STEPS + 1), repeat=3)))
    lengths = _step_lengths_mm(steps, spacing_mm)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] <= _SEARCH_STEPS * min(spacing_mm)]
    return steps[order], lengths[order]


def _step_lengths_mm(steps: NDArray[np.intp], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Lengths in mm of steps (n, 3) between points of the grid."""
    squares = np.square(steps * np.asarray(spacing_mm))
    lengths: NDArray[np.float64] = np.sqrt(squares.sum(axis=1))
    return lengths
