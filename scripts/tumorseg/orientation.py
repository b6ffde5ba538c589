"""Find the anatomical axes of an affine, and permute and flip volumes to other axes without resampling.

An affine (4x4) maps voxel indices to millimetres. Axes are written as in nibabel: `LPS` points to the patient's left,
back (posterior) and head (superior).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray

_orientations: Any = nib.orientations  # nibabel leaves its functions untyped
_affines: Any = nib.affines
DISPLAY_AXES: Final = "LPI"
"""To the patient's left, back and feet: the axes in which volumes are displayed."""
NETWORK_AXES: Final = "LPS"
"""To the patient's left, back and head: the axes of BraTS volumes and of the network's input."""


@lru_cache(maxsize=16)
def _cached_transforms(affine: bytes, axes: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the transforms to `axes` and back. Cached, since a cohort has few affines and validation asks often."""
    current = _orientations.io_orientation(np.frombuffer(affine).reshape(4, 4))
    wanted = _orientations.axcodes2ornt(axes)
    return _orientations.ornt_transform(current, wanted), _orientations.ornt_transform(wanted, current)


def _transforms(affine: ArrayLike, axes: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _cached_transforms(np.asarray(affine, np.float64).tobytes(), axes)


def axial_axis(affine: ArrayLike) -> int:
    """Return the axis of the grid that is closest to the direction between feet and head."""
    transform, _ = _transforms(affine, DISPLAY_AXES)
    return int(np.argmax(transform[:, 0] == DISPLAY_AXES.index("I")))


def axis_names(affine: ArrayLike) -> list[str]:
    """Return the closest anatomical direction of each axis of the grid, such as `left-right`."""
    names = ("left-right", "front-back", "head-feet")
    return [names[int(axis)] for axis in _orientations.io_orientation(np.asarray(affine))[:, 0]]


def reorient(volume: NDArray[Any], affine: ArrayLike, axes: str = DISPLAY_AXES) -> NDArray[Any]:
    """Return a view of a volume whose axes are permuted and flipped to `axes`.

    Args:
        volume: voxels (X, Y, Z, ...) of any dtype.
        affine: affine of the volume, (4, 4).
        axes: anatomical directions of the result, such as `LPS`.
    """
    transform, _ = _transforms(affine, axes)
    result: NDArray[Any] = _orientations.apply_orientation(volume, transform)
    return result


def undo_reorient(volume: NDArray[Any], affine: ArrayLike, axes: str) -> NDArray[Any]:
    """Return a view of a reoriented volume on its original grid. This is the inverse of `reorient`.

    Args:
        volume: voxels along `axes`, of any dtype.
        affine: affine of the original grid, (4, 4).
        axes: anatomical directions of `volume`, such as `LPS`.
    """
    _, inverse = _transforms(affine, axes)
    result: NDArray[Any] = _orientations.apply_orientation(volume, inverse)
    return result


def reoriented_spacing_mm(affine: ArrayLike, axes: str = DISPLAY_AXES) -> tuple[float, float, float]:
    """Return the voxel size along `axes`, in mm, of a volume after `reorient`."""
    sizes = _affines.voxel_sizes(np.asarray(affine))
    spacing = [0.0, 0.0, 0.0]
    for axis, (target, _) in enumerate(_transforms(affine, axes)[0]):
        spacing[int(target)] = float(sizes[axis])
    return spacing[0], spacing[1], spacing[2]


def reoriented_shape(affine: ArrayLike, shape: Sequence[int], axes: str) -> tuple[int, int, int]:
    """Return the shape along `axes` of a volume after `reorient`."""
    sides = [0, 0, 0]
    for (target, _), side in zip(_transforms(affine, axes)[0], shape, strict=True):
        sides[int(target)] = side
    return sides[0], sides[1], sides[2]


def reoriented_box_start(
    affine: ArrayLike, shape: Sequence[int], box: Sequence[tuple[int, int]], axes: str
) -> tuple[int, int, int]:
    """Return the first voxel of a box after `reorient`.

    Args:
        affine: affine of the volume, (4, 4).
        shape: voxels of the volume along each axis.
        box: start and stop along each axis, before `reorient`.
        axes: anatomical directions after `reorient`, such as `LPS`.
    """
    starts = [0, 0, 0]
    for (target, direction), (start, stop), side in zip(_transforms(affine, axes)[0], box, shape, strict=True):
        starts[int(target)] = start if direction > 0 else side - stop
    return starts[0], starts[1], starts[2]


def reoriented_affine(affine: ArrayLike, shape: tuple[int, ...], axes: str) -> NDArray[np.float64]:
    """Return the affine of a volume of `shape` (X, Y, Z) after `reorient`."""
    transform, _ = _transforms(affine, axes)
    result: NDArray[np.float64] = np.asarray(affine, np.float64) @ _orientations.inv_ornt_aff(transform, shape)
    return result
