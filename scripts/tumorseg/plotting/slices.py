"""Axial, coronal and sagittal slices in radiological orientation: the patient's right is at the viewer's left.

Volumes are oriented as in `tumorseg.geometry`. Each plane is one index away, and its rows and columns already run
as on the screen.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task

Plane = Literal["axial", "coronal", "sagittal"]

PLANES: Final[tuple[Plane, ...]] = ("axial", "coronal", "sagittal")
PLANE_SIDES: Final[dict[Plane, tuple[str, str]]] = {"axial": ("R", "L"), "coronal": ("R", "L"), "sagittal": ("A", "P")}
"""What lies at the viewer's left and right of each plane."""
_PLANE_AXIS: Final[dict[Plane, int]] = {"axial": 2, "coronal": 1, "sagittal": 0}


@dataclass(frozen=True)
class SliceImage:
    """A slice that keeps its size: pixels (rows, columns, ...), with the height and width of one pixel in mm."""

    pixels: NDArray[Any]
    height: float
    width: float

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in mm."""
        return self.pixels.shape[1] * self.width, self.pixels.shape[0] * self.height


def slice_selection_mask(*masks: NDArray[np.uint8] | None, task: Task, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the voxels by which slices are chosen, bool, of `shape`.

    These are the whole tumour in the first of the masks that has it. Where none has it, they are all that the first
    mask with any label marks, such as a cavity, and where all masks are empty or None, no voxel.
    """
    given = [mask for mask in masks if mask is not None]
    for labels in (task.region_labels[task.whole], task.label_values):
        for mask in given:
            if (found := np.isin(mask, labels)).any():
                return found
    return np.zeros(shape, bool)


def slices_with_most_tumour(tumour: NDArray[np.bool_]) -> dict[Plane, int]:
    """For each plane the index of the slice with most tumour, bool (L, P, I); the middle one if there is no tumour."""
    found: dict[Plane, int] = {}
    for plane, axis in _PLANE_AXIS.items():
        others = tuple(other for other in range(3) if other != axis)
        counts = tumour.sum(axis=others)
        found[plane] = int(counts.argmax()) if counts.any() else tumour.shape[axis] // 2
    return found


def extract_slice(volume: NDArray[Any], spacing_mm: tuple[float, float, float], plane: Plane, index: int) -> SliceImage:
    """Slice `index` of a turned volume (L, P, I), rows from the top of the screen, columns from the viewer's left."""
    plane_axis = _PLANE_AXIS[plane]
    column_axis, row_axis = (axis for axis in range(3) if axis != plane_axis)
    return SliceImage(volume.take(index, axis=plane_axis).T, spacing_mm[row_axis], spacing_mm[column_axis])


def grey_values(image: NDArray[Any], brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Grey values from 0 (black) to 1 (white): percentiles 0.5 and 99.5 of the brain become dark grey and white.

    Outside the brain, where normalised images are 0 as the mean of the brain is, the result is black.
    """
    values = image.astype(np.float32)
    if not brain.any():
        return np.zeros_like(values)
    low, high = np.percentile(values[brain], (0.5, 99.5))
    shade = (values - low) / max(float(high - low), 1e-6)
    return np.where(brain, 0.08 + 0.92 * np.clip(shade, 0, 1), 0).astype(np.float32)
