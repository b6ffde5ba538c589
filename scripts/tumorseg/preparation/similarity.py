"""Normalised mutual information and overlap of two images under a rigid transform.

References:
    Studholme C, Hill DLG, Hawkes DJ. An overlap invariant entropy measure of 3D medical image alignment. Pattern
    Recognition 32, 71-86 (1999). https://doi.org/10.1016/S0031-3203(98)00091-0
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.preparation.sampling import Image, inverse, transform_points

_BINS: Final = 32


@dataclass(frozen=True)
class Similarity:
    """How well two images fit.

    Attributes:
        information: normalised mutual information of the voxels that both images show, minus 1: 0 for images that have
            nothing to do with each other, 1 for equal images.
        overlap: fraction of the points of the fixed image that lie within the moving image.
    """

    information: float
    overlap: float

    @property
    def score(self) -> float:
        """The information, lower for a small overlap; it ranks transforms."""
        return self.information * self.overlap


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """The points of the fixed image at which two images are compared.

    Attributes:
        points: in millimetres, (N, 3).
        bins: bin of the intensity of each point, (N,) int.
    """

    points: NDArray[np.float64]
    bins: NDArray[np.intp]


def fixed_points(image: Image, mask: NDArray[np.bool_]) -> FixedPoints:
    """Return the points of an image within a mask.

    Args:
        image: the image.
        mask: bool, with the shape of the image.
    """
    where = np.argwhere(mask).astype(np.float64)
    return FixedPoints(transform_points(image.affine, where), _binned(image.array[mask]))


def similarity(fixed: FixedPoints, moving: Image, matrix: NDArray[np.float64]) -> Similarity:
    """Return how well two images fit.

    Args:
        fixed: points of the fixed image.
        moving: the moving image, with voxels about as large as the distance of the points.
        matrix: from the fixed image's millimetres to the moving image's, (4, 4).

    Returns:
        The similarity; 0 where the images do not overlap.
    """
    voxels = transform_points(inverse(moving.affine) @ matrix, fixed.points).T
    sides = np.array(moving.shape)[:, None]
    shown = ((voxels >= -0.5) & (voxels <= sides - 0.5)).all(axis=0)
    if not shown.any():
        return Similarity(0.0, 0.0)
    values = ndimage.map_coordinates(moving.array, voxels[:, shown], order=1, mode="nearest", output=np.float32)
    joint = np.bincount(fixed.bins[shown] * _BINS + _binned(values), minlength=_BINS**2).reshape(_BINS, _BINS)
    both = _entropy(joint)
    information = (_entropy(joint.sum(axis=0)) + _entropy(joint.sum(axis=1))) / both - 1 if both > 0 else 0.0
    return Similarity(float(information), float(shown.mean()))


def _binned(values: NDArray[Any]) -> NDArray[np.intp]:
    """Return the bin of each value (N,); the brightest hundredth shares a bin."""
    low, high = np.percentile(values, (0, 99))
    if low == high:
        return np.zeros(values.shape, np.intp)
    bins: NDArray[np.intp] = np.clip(((values - low) * (_BINS / (high - low))).astype(np.intp), 0, _BINS - 1)
    return bins


def _entropy(counts: NDArray[np.intp]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())
