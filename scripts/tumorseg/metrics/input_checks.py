"""Validate and convert the masks, the voxel spacing and the tolerance that callers pass to the metrics."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.surface_elements import Spacing


def as_labels(mask: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Return a mask as uint8; the same array where it is that already.

    Args:
        mask: labels, whole numbers of any type (X, Y, Z).
        name: of the argument, for messages.

    Raises:
        ValueError: the array does not have three axes, is bool, or has values other than whole numbers from 0 to 255.
    """
    array = np.asarray(mask)
    if array.ndim != 3:
        raise ValueError(f"{name}: a mask has three axes, and this array has the shape {array.shape}; give one volume")
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name}: an array of {array.dtype} has no labels; give whole numbers, such as mask.astype(int) * label"
        )
    with np.errstate(invalid="ignore"):
        labels: NDArray[np.uint8] = array.astype(np.uint8)
    if not np.array_equal(labels, array):
        wrong = array[labels != array].flat[0]
        raise ValueError(f"{name}: the value {wrong} is no label; labels are whole numbers from 0 to 255")
    return labels


def as_spacing(spacing_mm: Sequence[float]) -> Spacing:
    """Return the edges of voxels as three numbers.

    Raises:
        ValueError: there are not three of them, or one is not positive and finite.
    """
    edges = tuple(map(float, np.atleast_1d(spacing_mm).ravel()))
    if len(edges) != 3 or not all(math.isfinite(edge) and edge > 0 for edge in edges):
        raise ValueError(f"spacing_mm: {spacing_mm} is not the positive edge of a voxel along each of three axes")
    return edges


def as_tolerance(surface_tolerance_mm: float) -> float:
    """Return the distance within which surfaces agree. Raises ValueError where it is negative or not finite."""
    if not (math.isfinite(surface_tolerance_mm) and surface_tolerance_mm >= 0):
        raise ValueError(f"surface_tolerance_mm: {surface_tolerance_mm} is not a distance of 0 or more, in mm")
    return float(surface_tolerance_mm)
