"""Two images of a head at a low resolution, cropped to the head, to register and to compare them."""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.geometry import Box, bounding_box, box_slices
from tumorseg.preparation.sampling import Image
from tumorseg.preparation.similarity import FixedPoints, Similarity, fixed_points, similarity

_FOREGROUND: Final = 0.15
"""The head is brighter than this fraction of the way from the dark to the bright voxels."""
_MARGIN_MM: Final = 5.0
_BRIGHT_PERCENTILE: Final = 99.5
"""Brighter voxels, such as vessels, are set to this percentile of the head."""


@dataclass(frozen=True, eq=False)
class Level:
    """Both images at one resolution.

    Attributes:
        fixed: the fixed image, float32.
        moving: the moving image, float32.
        counted: the voxels of the fixed image that count: the head, or the mask that was given.
        points: these voxels.
    """

    fixed: Image
    moving: Image
    counted: NDArray[np.bool_]
    points: FixedPoints

    def similarity(self, matrix: NDArray[np.float64]) -> Similarity:
        """Return how well the images fit.

        Args:
            matrix: from the fixed image's millimetres to the moving image's, (4, 4).
        """
        return similarity(self.points, self.moving, matrix)


def make_level(fixed: Image, moving: Image, edge_mm: float, fixed_mask: NDArray[np.bool_] | None = None) -> Level:
    """Return both images cropped to the head, with voxels of at least `edge_mm`.

    Args:
        fixed: the fixed image, any real dtype, finite.
        moving: the moving image, likewise.
        edge_mm: edge of the voxels. An axis with longer voxels keeps them.
        fixed_mask: voxels of the fixed image that count; None for the whole head.
    """
    box = _head_box(fixed) if fixed_mask is None else _widened(bounding_box(fixed_mask), fixed)
    small = _shrink(fixed, box, edge_mm)
    counted = head(small)
    if fixed_mask is not None:
        counted = _shrink(Image(fixed_mask.astype(np.float32), fixed.affine), box, edge_mm).array > 0.5
    return Level(small, _shrink(moving, _head_box(moving), edge_mm), counted, fixed_points(small, counted))


def head(image: Image) -> NDArray[np.bool_]:
    """Return which voxels of an image are brighter than air, bool (X, Y, Z)."""
    low, high = np.percentile(image.array, (1, 99))
    bright: NDArray[np.bool_] = image.array > low + _FOREGROUND * (high - low)
    return bright


def _shrink(image: Image, box: Box, edge_mm: float) -> Image:
    """Return the part of an image within a box, smoothed and sampled with voxels of at least `edge_mm`, float32."""
    part = image.array[box_slices(box)].astype(np.float32)
    if np.ptp(part):
        np.minimum(part, np.percentile(part[part > part.min()], _BRIGHT_PERCENTILE), out=part)
    steps = np.maximum(edge_mm / image.spacing_mm, 1)
    for axis, step in enumerate(steps):
        if step > 1:
            part = ndimage.gaussian_filter1d(part, 0.5 * np.sqrt(step**2 - 1), axis, mode="nearest", truncate=3.0)
    shape = np.maximum(np.round(part.shape / steps), 1).astype(int)
    offset = (np.array(part.shape) - 1 - (shape - 1) * steps) / 2  # both grids have the same centre
    sampled = ndimage.affine_transform(part, steps, offset, tuple(shape), order=1, mode="nearest")
    to_image = np.diag([*steps, 1.0])
    to_image[:3, 3] = offset + [start for start, _ in box]
    return Image(sampled, image.affine @ to_image)


def _head_box(image: Image) -> Box:
    """Return the box of the head, without most of the air."""
    steps = [max(1, round(3 / edge)) for edge in image.spacing_mm]
    bright = head(Image(image.array[tuple(slice(None, None, step) for step in steps)], image.affine))
    opened = ndimage.binary_opening(bright)
    (x, y, z) = (
        (start * step, stop * step)
        for (start, stop), step in zip(bounding_box(opened if opened.any() else bright), steps, strict=True)
    )
    return _widened((x, y, z), image)


def _widened(box: Box, image: Image) -> Box:
    """Return a box with a margin, within the image."""
    margins = [ceil(_MARGIN_MM / edge) for edge in image.spacing_mm]
    (x, y, z) = (
        (max(0, start - margin), min(side, stop + margin))
        for (start, stop), margin, side in zip(box, margins, image.shape, strict=True)
    )
    return (x, y, z)
