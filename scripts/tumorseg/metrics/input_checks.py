"""Validate and convert the masks, voxel spacing and tolerance that callers pass to the metrics."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.surface_elements import Spacing


def as_labels(mask: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Return a mask as uint8. A uint8 array is returned as it is, not copied.

    Args:
        mask: labels, integers of any type (X, Y, Z).
        name: name of the argument, for messages.

    Raises:
        ValueError: the array does not have three axes, is bool, or has values other than integers from 0 to 255.
    """
    array = np.asarray(mask)
    if array.ndim != 3:
        raise ValueError(f"{name}: a mask must have three axes, but the shape is {array.shape}; pass one volume")
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name}: an array of type {array.dtype} has no labels; pass integers, such as mask.astype(int) * label"
        )
    with np.errstate(invalid="ignore"):
        labels: NDArray[np.uint8] = array.astype(np.uint8)
    if not np.array_equal(labels, array):
        invalid = array[labels != array].flat[0]
        raise ValueError(f"{name}: the value {invalid} is not a label; labels are integers from 0 to 255")
    return labels


def as_mask_pair(reference: NDArray[Any], prediction: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the masks of a structure, unchanged.

    Args:
        reference: mask, bool (X, Y, Z).
        prediction: mask, bool, of the same shape.

    Raises:
        ValueError: an array is not bool or does not have three axes, or the shapes differ.
    """
    for name, mask in (("reference", reference), ("prediction", prediction)):
        if mask.dtype != np.bool_:
            raise ValueError(
                f"{name}: an array of type {mask.dtype} is not the mask of a structure; pass bool, such as labels == 1"
            )
        if mask.ndim != 3:
            raise ValueError(f"{name}: a mask must have three axes, but the shape is {mask.shape}; pass one volume")
    if reference.shape != prediction.shape:
        raise ValueError(f"the masks have different shapes: {reference.shape} and {prediction.shape}")
    return reference, prediction


def as_spacing(spacing_mm: Sequence[float]) -> Spacing:
    """Return the voxel edges as three floats.

    Raises:
        ValueError: the number of edges is not three, or an edge is not positive and finite.
    """
    edges = tuple(map(float, np.atleast_1d(spacing_mm).ravel()))
    if len(edges) != 3 or not all(math.isfinite(edge) and edge > 0 for edge in edges):
        raise ValueError(f"spacing_mm: {spacing_mm} must be three positive voxel edges in mm")
    return edges


def as_tolerance(surface_tolerance_mm: float) -> float:
    """Return the tolerance of the surface Dice as a float.

    Raises:
        ValueError: the tolerance is negative or not finite.
    """
    if not (math.isfinite(surface_tolerance_mm) and surface_tolerance_mm >= 0):
        raise ValueError(f"surface_tolerance_mm: {surface_tolerance_mm} must be a distance of at least 0 mm")
    return float(surface_tolerance_mm)
