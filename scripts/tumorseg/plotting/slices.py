"""Axial, coronal and sagittal slices in radiological orientation: the patient's right is on the viewer's left.

Volumes have the axes (L, P, I), see `orientation.DISPLAY_AXES`, so that indexing one axis gives a slice whose rows and
columns run as on the screen.
"""

from dataclasses import dataclass
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
    found: dict[Plane, int] = {}
    for plane, axis in _PLANE_AXIS.items():
        others = tuple(other for other in range(3) if other != axis)
        counts = tumour.sum(axis=others)
        found[plane] = int(counts.argmax()) if counts.any() else tumour.shape[axis] // 2
    return found


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
