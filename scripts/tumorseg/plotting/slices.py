"""Axial, coronal and sagittal slices in radiological orientation: the patient's right is on the viewer's left.

Volumes have the axes (L, P, I), see `orientation.DISPLAY_AXES`, so that indexing one axis gives a slice whose rows and
columns run as on the screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task

Plane = Literal["axial", "coronal", "sagittal"]

PLANES: Final[tuple[Plane, ...]] = ("axial", "coronal", "sagittal")
PLANE_SIDES: Final[dict[Plane, tuple[str, str]]] = {"axial": ("R", "L"), "coronal": ("R", "L"), "sagittal": ("A", "P")}
"""The sides of the patient at the viewer's left and right, by plane."""
_PLANE_AXIS: Final[dict[Plane, int]] = {"axial": 2, "coronal": 1, "sagittal": 0}


@dataclass(frozen=True)
class SliceImage:
    """A slice with the size of its pixels.

    Attributes:
        pixels: values, (rows, columns, ...).
        pixel_height_mm: height of a pixel.
        pixel_width_mm: width of a pixel.
    """

    pixels: NDArray[Any]
    pixel_height_mm: float
    pixel_width_mm: float

    @property
    def extent_mm(self) -> tuple[float, float]:
        """Width and height of the slice in mm."""
        return self.pixels.shape[1] * self.pixel_width_mm, self.pixels.shape[0] * self.pixel_height_mm


def slice_selection_mask(*masks: NDArray[np.uint8] | None, task: Task, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the voxels by which slices are selected.

    These are the whole tumour in the first mask that has it. If no mask has it, they are all labels, such as a cavity,
    in the first mask that has any.

    Args:
        masks: masks of shape `shape`, uint8, labels of the task; None is ignored.
        task: defines the channels, labels and regions.
        shape: the shape of the result.

    Returns:
        Bool array of shape `shape`; all False if every mask is empty or None.
    """
    given = [mask for mask in masks if mask is not None]
    for labels in (task.region_labels[task.whole_tumour], task.label_values):
        for mask in given:
            if (found := np.isin(mask, labels)).any():
                return found
    return np.zeros(shape, bool)


def slices_with_most_tumour(tumour: NDArray[np.bool_]) -> dict[Plane, int]:
    """Return the index of the slice with the most tumour, by plane; the middle one without tumour.

    Args:
        tumour: mask of the tumour, bool (L, P, I).
    """
    return {
        plane: int(counts.argmax()) if counts.any() else len(counts) // 2
        for plane, counts in _voxels_by_slice(tumour).items()
    }


def slices_with_most_errors(
    reference: NDArray[np.uint8], prediction: NDArray[np.uint8], without_errors: Mapping[Plane, int]
) -> dict[Plane, int]:
    """Return the index of the slice with the most voxels whose labels differ, by plane.

    Args:
        reference: labels, uint8 (L, P, I).
        prediction: labels, uint8, of the same shape.
        without_errors: the index, by plane, if no voxel differs.
    """
    return {
        plane: int(counts.argmax()) if counts.any() else without_errors[plane]
        for plane, counts in _voxels_by_slice(reference != prediction).items()
    }


def _voxels_by_slice(region: NDArray[np.bool_]) -> dict[Plane, NDArray[np.int64]]:
    """Return the number of voxels of a region in each slice, by plane."""
    others = {axis: tuple(other for other in range(3) if other != axis) for axis in _PLANE_AXIS.values()}
    return {plane: np.count_nonzero(region, axis=others[axis]) for plane, axis in _PLANE_AXIS.items()}


def extract_slice(volume: NDArray[Any], spacing_mm: tuple[float, float, float], plane: Plane, index: int) -> SliceImage:
    """Return a slice of a volume (L, P, I): rows from the top of the screen, columns from the viewer's left.

    Args:
        volume: volume with the axes (L, P, I).
        spacing_mm: voxel size along these axes.
        plane: the plane of the slice.
        index: index of the slice along the axis across the plane.

    Returns:
        The slice, with the size of its pixels.
    """
    plane_axis = _PLANE_AXIS[plane]
    column_axis, row_axis = (axis for axis in range(3) if axis != plane_axis)
    return SliceImage(volume.take(index, axis=plane_axis).T, spacing_mm[row_axis], spacing_mm[column_axis])


Window = tuple[slice, slice]
"""The rows and columns of a part of a slice."""
_WINDOW_MARGIN_MM: Final = 20.0
_MIN_WINDOW_MM: Final = 90.0


def window_around(tumour: SliceImage) -> Window:
    """Return a square part of a slice around the tumour, at least 9 cm wide; the whole slice without tumour.

    It ends at the edges of the slice, so that it may be narrower.

    Args:
        tumour: slice of a mask of the tumour, bool.
    """
    if not tumour.pixels.any():
        return slice(None), slice(None)
    pixel_mm = (tumour.pixel_height_mm, tumour.pixel_width_mm)
    found = [np.flatnonzero(tumour.pixels.any(axis=1 - axis))[[0, -1]] for axis in (0, 1)]
    lengths_mm = [(last + 1 - first) * size for (first, last), size in zip(found, pixel_mm, strict=True)]
    side_mm = max(_MIN_WINDOW_MM, max(lengths_mm) + 2 * _WINDOW_MARGIN_MM)
    parts = []
    for (first, last), size, count in zip(found, pixel_mm, tumour.pixels.shape, strict=True):
        length = min(count, round(side_mm / size))
        start = min(max(0, (first + last + 1 - length) // 2), count - length)
        parts.append(slice(int(start), int(start + length)))
    rows, columns = parts
    return rows, columns


def crop_slice(image: SliceImage, window: Window) -> SliceImage:
    """Return a part of a slice."""
    return replace(image, pixels=image.pixels[window])


def grey_values(image: NDArray[Any], brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return grey values from 0 (black) to 1 (white), scaled to the percentiles 0.5 and 99.5 of the brain.

    Voxels outside the brain are black: in normalised images they are 0, the mean of the brain.

    Args:
        image: intensities of any shape.
        brain: the brain mask, of the same shape.

    Returns:
        Float32 array of the same shape; within the brain from 0.08, dark grey, to 1.
    """
    values = image.astype(np.float32)
    if not brain.any():
        return np.zeros_like(values)
    low, high = np.percentile(values[brain], (0.5, 99.5))
    shade = (values - low) / max(float(high - low), 1e-6)
    return np.where(brain, 0.08 + 0.92 * np.clip(shade, 0, 1), 0).astype(np.float32)
