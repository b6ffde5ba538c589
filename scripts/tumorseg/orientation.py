"""Anatomical axes of an affine, and arrays turned to other axes."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray

_orientations: Any = nib.orientations  # nibabel leaves its functions untyped
_affines: Any = nib.affines
DISPLAY_AXES: Final = "LPI"
"""Towards the patient's left, back and feet: how volumes are shown."""
NETWORK_AXES: Final = "LPS"
"""Towards the patient's left, back and head: how BraTS stores its volumes, and what the network is trained on."""


@lru_cache(maxsize=16)
def _cached_transforms(affine: bytes, axes: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """To other axes and back. The affines of a cohort are few, and validation asks ten times a case."""
    current = _orientations.io_orientation(np.frombuffer(affine).reshape(4, 4))
    wanted = _orientations.axcodes2ornt(axes)
    return _orientations.ornt_transform(current, wanted), _orientations.ornt_transform(wanted, current)


def _transforms(affine: ArrayLike, axes: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _cached_transforms(np.asarray(affine, np.float64).tobytes(), axes)


def axial_axis(affine: ArrayLike) -> int:
    """The axis of the grid of `affine` that runs, more or less, from the feet to the head."""
    turn, _ = _transforms(affine, DISPLAY_AXES)
    return int(np.argmax(turn[:, 0] == DISPLAY_AXES.index("I")))


def axis_names(affine: ArrayLike) -> list[str]:
    """The direction in the patient along which each axis of the grid of `affine` runs, more or less."""
    names = ("left-right", "front-back", "head-feet")
    return [names[int(axis)] for axis in _orientations.io_orientation(np.asarray(affine))[:, 0]]


def reorient(volume: NDArray[Any], affine: ArrayLike, axes: str = DISPLAY_AXES) -> NDArray[Any]:
    """`volume` (x, y, z, ...) of the grid of `affine`, with its axes swapped and flipped to `axes`; a view."""
    turn, _ = _transforms(affine, axes)
    result: NDArray[Any] = _orientations.apply_orientation(volume, turn)
    return result


def undo_reorient(volume: NDArray[Any], affine: ArrayLike, axes: str) -> NDArray[Any]:
    """What `turned` made of a volume of the grid of `affine`, on that grid again; a view."""
    _, back = _transforms(affine, axes)
    result: NDArray[Any] = _orientations.apply_orientation(volume, back)
    return result


def reoriented_spacing_mm(affine: ArrayLike, axes: str = DISPLAY_AXES) -> tuple[float, float, float]:
    """Voxel size in mm along `axes` of a volume after `turned`."""
    sizes = _affines.voxel_sizes(np.asarray(affine))
    spacing = [0.0, 0.0, 0.0]
    for axis, (target, _) in enumerate(_transforms(affine, axes)[0]):
        spacing[int(target)] = float(sizes[axis])
    return spacing[0], spacing[1], spacing[2]


def reoriented_shape(affine: ArrayLike, shape: Sequence[int], axes: str) -> tuple[int, int, int]:
    """Voxels along `axes` of a volume of `shape` after `turned`."""
    sides = [0, 0, 0]
    for (target, _), side in zip(_transforms(affine, axes)[0], shape, strict=True):
        sides[int(target)] = side
    return sides[0], sides[1], sides[2]


def reoriented_box_start(
    affine: ArrayLike, shape: Sequence[int], box: Sequence[tuple[int, int]], axes: str
) -> tuple[int, int, int]:
    """Where a box (start and stop along each axis) of the grid of `affine` and `shape` begins after `turned`."""
    starts = [0, 0, 0]
    for (target, direction), (start, stop), side in zip(_transforms(affine, axes)[0], box, shape, strict=True):
        starts[int(target)] = start if direction > 0 else side - stop
    return starts[0], starts[1], starts[2]


def reoriented_affine(affine: ArrayLike, shape: tuple[int, ...], axes: str) -> NDArray[np.float64]:
    """The affine of a volume of `shape` (x, y, z) on the grid of `affine` after `turned`."""
    turn, _ = _transforms(affine, axes)
    result: NDArray[np.float64] = np.asarray(affine, np.float64) @ _orientations.inv_ornt_aff(turn, shape)
    return result
