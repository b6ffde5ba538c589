"""Resample masks and probabilities on other grids, such as from the atlas back to the patient's images."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import Box, Grid, bounding_box, box_slices
from tumorseg.preparation.sampling import Image, grid_part, inverse, sample, transform_points, voxel_transform

_TIE: Final = 1e-4
"""A voxel that is half tumour, within rounding, is tumour."""


def native_mask(mask: Image, grid: Grid, matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a mask on another grid.

    The indicator of each label is interpolated linearly, and averaged over the thickness of thick slices. A voxel is
    tumour if at least half of it is, and then has the label with the largest share. So there is no background between
    two labels, where each covers less than half of a voxel.

    Args:
        mask: labels, uint8.
        grid: the other grid.
        matrix: from the other grid's millimetres to those of the mask, (4, 4).

    Returns:
        The labels on the other grid, uint8.
    """
    result = np.zeros(grid.shape, np.uint8)
    labels = np.unique(mask.array[mask.array > 0]).tolist()
    if not labels:
        return result
    tumour = _padded_part(mask, bounding_box(mask.array > 0))
    box = _box_of(tumour, grid, matrix)
    part = grid_part(grid, box)
    if 0 in part.shape:  # the tumour lies outside the field of view
        return result
    total, largest = np.zeros(part.shape, np.float32), np.zeros(part.shape, np.float32)
    found = np.zeros(part.shape, np.uint8)
    for label in labels:
        share = sample(Image((tumour.array == label).astype(np.float32), tumour.affine), part, matrix)
        total += share
        found[share > largest] = label
        np.maximum(largest, share, out=largest)
    found[total < 0.5 - _TIE] = 0
    result[box_slices(box)] = found
    return result


def label_share(mask: Image, label: int, grid: Grid, matrix: NDArray[np.float64]) -> tuple[Box, NDArray[np.float32]]:
    """Return which part of each voxel of another grid a label covers.

    Args:
        mask: labels, uint8.
        label: one of its labels.
        grid: the other grid.
        matrix: from the other grid's millimetres to those of the mask, (4, 4).

    Returns:
        A box of the other grid, outside which the label covers nothing, and the parts within this box, from 0 to 1.
    """
    marked = mask.array == label
    part = _padded_part(Image(marked.astype(np.float32), mask.affine), bounding_box(marked))
    box = _box_of(part, grid, matrix)
    there = grid_part(grid, box)
    return box, sample(part, there, matrix) if 0 not in there.shape else np.zeros(there.shape, np.float32)


def native_probabilities(probabilities: Image, grid: Grid, matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return probabilities on another grid, each class interpolated like a label of `native_mask`.

    Args:
        probabilities: probabilities on the grid of the atlas, float32 (X, Y, Z, classes); background comes first.
        grid: the native grid.
        matrix: from the native grid's millimetres to the atlas's, (4, 4).

    Returns:
        Float32 (X, Y, Z, classes). Beyond the atlas, the probability of background is 1.
    """
    classes = probabilities.array.shape[-1]
    result = np.zeros((*grid.shape, classes), np.float32)
    for index in range(1, classes):
        values = Image(probabilities.array[..., index], probabilities.affine)
        positive = values.array > 0
        part = _padded_part(values, bounding_box(positive))
        box = _box_of(part, grid, matrix)
        if positive.any() and all(start < stop for start, stop in box):
            result[(*box_slices(box), index)] = sample(part, grid_part(grid, box), matrix)
    result[..., 0] = 1 - result[..., 1:].sum(axis=-1)
    return result


def _padded_part(image: Image, box: Box) -> Image:
    """Return the part of an image within a box, with a border of zeros."""
    affine = grid_part(image, tuple((start - 1, stop) for start, stop in box)).affine
    return Image(np.pad(image.array[box_slices(box)], 1), affine)


def _box_of(part: Image, grid: Grid, matrix: NDArray[np.float64]) -> Box:
    """Return the box of a grid that covers a part of an image."""
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(part.shape) - 1)
    to_grid = inverse(voxel_transform(part.affine, np.asarray(grid.affine), matrix))
    voxels = transform_points(to_grid, corners.astype(np.float64))
    low, high = np.floor(voxels.min(axis=0)).astype(int), np.ceil(voxels.max(axis=0)).astype(int) + 1
    (x, y, z) = (
        (min(max(start, 0), side), min(max(stop, 0), side))
        for start, stop, side in zip(low.tolist(), high.tolist(), grid.shape, strict=True)
    )
    return (x, y, z)
