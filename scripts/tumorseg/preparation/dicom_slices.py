"""Put a mask on the grid of a converted DICOM series back onto the slices of the series, without interpolation."""

from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import format_shape
from tumorseg.preparation.dicom_source import DicomSourceError, SourceSeries, slice_distances

_RAS_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0])
"""NIfTI's axes point right, front and up; DICOM's point left, back and up."""
_MAX_OFFSET: Final = 0.1
"""Largest distance between a voxel and its pixel along each axis, as a fraction of the voxel's edge.

Scanners round positions, and converters make the distances of slices equal.
"""
_REMEDY: Final = "give all files of the series that was converted, and no others"


def mask_on_slices(mask: NDArray[Any], affine: NDArray[np.float64], series: SourceSeries) -> NDArray[Any]:
    """Return a mask as slices of a series.

    A converter may permute and flip the axes of a series. Each voxel goes to the pixel at its position; the positions
    of all corners are compared.

    Args:
        mask: voxels (X, Y, Z) of any dtype.
        affine: voxel to millimetres (RAS), (4, 4).
        series: series that was converted to the grid of the mask.

    Returns:
        The slices in the order of `series.positions`, (S, rows, columns), in the dtype of the mask.

    Raises:
        DicomSourceError: voxels and pixels are not at the same positions.
    """
    order = np.argsort(slice_distances(series))
    edges = _RAS_TO_LPS @ affine[:3, :3]
    axes, signs = _axes(edges, series)
    shape = tuple(mask.shape[axis] for axis in axes)
    expected = (series.columns, series.rows, len(order))
    if shape != expected:
        raise DicomSourceError(
            f"the mask has {format_shape(shape)} voxels, but the source series has {format_shape(expected)} "
            f"(columns, rows, slices); {_REMEDY}"
        )
    steps = edges[:, axes] * signs
    first = _RAS_TO_LPS @ affine[:3, 3] + edges[:, axes] @ np.where(signs < 0, np.array(shape) - 1, 0)
    offset = _largest_offset(first, steps, series, series.positions[order])
    if offset > _MAX_OFFSET:
        raise DicomSourceError(
            f"voxels of the mask are up to {offset:.3g} voxels away from the pixels of the source series; {_REMEDY}"
        )
    flips = tuple(slice(None, None, int(sign)) for sign in signs)
    slices: NDArray[Any] = mask.transpose(axes)[flips].transpose(2, 1, 0)
    return np.ascontiguousarray(slices[np.argsort(order)])


def _axes(edges: NDArray[np.float64], series: SourceSeries) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the axis of the mask along the columns, rows and slices of the series, and its direction, 1 or -1."""
    through = np.cross(series.column_step, series.row_step)
    directions = np.column_stack([series.column_step, series.row_step, through])
    cosines = _normalised(directions).T @ _normalised(edges)
    axes: NDArray[np.intp] = np.abs(cosines).argmax(axis=1)
    if len(set(axes.tolist())) < 3:
        raise DicomSourceError(f"the axes of the mask are not those of the source series; {_REMEDY}")
    return axes, np.sign(cosines[range(3), axes])


def _normalised(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=0)
    return result


def _largest_offset(
    first: NDArray[np.float64], steps: NDArray[np.float64], series: SourceSeries, positions: NDArray[np.float64]
) -> float:
    """Return the largest distance between a voxel and its pixel along an axis, in voxels, over all corners of slices.

    Args:
        first: position of the voxel that becomes the first pixel of the first slice in mm, (3,).
        steps: from a voxel to the next along columns, rows and slices in mm, (3, 3) in columns.
        series: the series.
        positions: positions of its slices along the normal in mm, (S, 3).
    """
    expected_steps = np.column_stack([series.column_step, series.row_step])
    voxels = first + np.outer(np.arange(len(positions)), steps[:, 2])
    corners = product((0, series.columns - 1), (0, series.rows - 1))
    differences = [voxels - positions + (steps[:, :2] - expected_steps) @ corner for corner in corners]
    return float(np.abs(np.array(differences) @ np.linalg.inv(steps).T).max())
