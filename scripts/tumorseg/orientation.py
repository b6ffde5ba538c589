"""Volumes turned to the axes L, P, I (towards the patient's left, back and feet), as they are shown."""

from functools import lru_cache
from typing import Any, Final

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray

_orientations: Any = nib.orientations  # nibabel leaves its functions untyped
_affines: Any = nib.affines
_DISPLAY_AXES: Final = ("L", "P", "I")


def _to_display(affine: ArrayLike) -> NDArray[np.float64]:
    return _turn(np.asarray(affine, np.float64).tobytes())


@lru_cache(maxsize=16)
def _turn(affine: bytes) -> NDArray[np.float64]:
    """The affines of a cohort are few, and validation asks ten times a case."""
    current = _orientations.io_orientation(np.frombuffer(affine).reshape(4, 4))
    wanted = _orientations.axcodes2ornt(_DISPLAY_AXES)
    turn: NDArray[np.float64] = _orientations.ornt_transform(current, wanted)
    return turn


def axial_axis(affine: ArrayLike) -> int:
    """The axis of the grid of `affine` that runs, more or less, from the feet to the head."""
    return int(np.argmax(_to_display(affine)[:, 0] == _DISPLAY_AXES.index("I")))


def turned(volume: NDArray[Any], affine: ArrayLike) -> NDArray[Any]:
    """`volume` (x, y, z, ...) of the grid of `affine`, with its axes swapped and flipped to L, P, I; not resampled."""
    result: NDArray[Any] = _orientations.apply_orientation(volume, _to_display(affine))
    return result


def turned_spacing(affine: ArrayLike) -> tuple[float, float, float]:
    """Voxel size in mm along L, P, I of a volume after `turned`."""
    sizes = _affines.voxel_sizes(np.asarray(affine))
    spacing = [0.0, 0.0, 0.0]
    for axis, (target, _) in enumerate(_to_display(affine)):
        spacing[int(target)] = float(sizes[axis])
    return spacing[0], spacing[1], spacing[2]
