"""How far each point of one set lies from the nearest of another, on a grid, exactly."""

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from tumorseg.metrics.cells import Spacing

_REACH: Final = 3
"""Steps along an axis within which neighbours are looked at one by one: most points of a good prediction are nearer."""


def distances_between(own: NDArray[np.bool_], other: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float64]:
    """Distance (mm) of each True point of `own` to the nearest one of `other`, of one shape (x, y, z), in C order.

    spacing: mm between points. There is a point in `other`.
    """
    points = np.argwhere(own)
    distances = np.zeros(len(points))
    left = _look_around(points, np.pad(other, _REACH), spacing, distances)
    if left.size:
        others, edges = np.argwhere(other), np.asarray(spacing)
        tree = KDTree(others * edges, leafsize=32, balanced_tree=False, compact_nodes=False)
        _, nearest = tree.query(points[left] * edges)
        # From whole steps, as for the near ones: equal steps are equally far wherever they are taken.
        distances[left] = _lengths(points[left] - others[nearest], spacing)
    return distances


def _look_around(
    points: NDArray[np.intp], padded: NDArray[np.bool_], spacing: Spacing, distances: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Fill in the distances of points that have another one near, and return which of them have none.

    padded: the other points, with `_REACH` of nothing around them.
    """
    strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    places = (points + _REACH) @ strides
    others = padded.ravel()
    left = np.arange(len(points))
    steps, lengths = _near_steps(spacing)
    for step, length in zip(steps @ strides, lengths, strict=True):
        met = others[places[left] + step]
        distances[left[met]] = length
        left = left[~met]
        if not left.size:
            break
    return left


@lru_cache(maxsize=8)
def _near_steps(spacing: Spacing) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """All steps that are no longer than `_REACH` of the shortest edge, (n, 3), and their lengths in mm, ascending."""
    steps = np.array(list(product(range(-_REACH, _REACH + 1), repeat=3)))
    lengths = _lengths(steps, spacing)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] <= _REACH * min(spacing)]
    return steps[order], lengths[order]


def _lengths(steps: NDArray[np.intp], spacing: Spacing) -> NDArray[np.float64]:
    """Lengths in mm of steps (n, 3) between points of the grid."""
    squares = np.square(steps * np.asarray(spacing))
    lengths: NDArray[np.float64] = np.sqrt(squares.sum(axis=1))
    return lengths
