"""Register two images of a head rigidly with greedy, from the start that fits best.

References:
    Yushkevich PA, Pluta J, Wang H, et al. Fast automatic segmentation of hippocampal subfields and medial temporal lobe
    subregions in 3 Tesla and 7 Tesla T2-weighted MRI. Alzheimer's & Dementia 12, P126-P127 (2016).
    https://doi.org/10.1016/j.jalz.2016.06.205
"""

import ctypes
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from picsl_greedy import Greedy3D
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tumorseg.preparation.levels import Level, make_level
from tumorseg.preparation.sampling import Image, inside, inverse, spacing_mm, transform_points

LEVELS_MM: Final = (8.0, 4.0, 2.0)
"""Voxel edges of the levels, from coarse to fine. An axis with longer voxels keeps them."""
_COMMAND: Final = (
    "-float -d 3 -a -dof 6 -m NMI -i fixed moving -gm shown -ia-identity -n 50 -o matrix -threads 1 -seed 1 "
    "-jitter 0.2 -V 0"
)
"""The samples are jittered by 0.2 voxels. Without jitter, images on equal grids stay where their voxels coincide: T1CE
and T1 of a patient who moved by 7 mm in between were left as they were. With greedy's own 0.5, errors are larger (0.41
instead of 0.30 mm at 1 mm, with known transforms). The fixed image counts where the moving one shows it; else the end
of a cropped field of view pulls."""
_TURN_DEGREES: Final = 20.0
"""Rotation of the starts that are turned around each axis. Greedy itself corrects about as much."""
_STARTS: Final = 3
"""Number of best starts that are optimised at the coarsest level."""
_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From millimetres of nibabel (RAS) to millimetres of ITK (LPS)."""


@dataclass(frozen=True, eq=False)
class Registration:
    """The rigid transform between two images.

    Attributes:
        matrix: maps points of the fixed image to points of the moving image, in millimetres (RAS), (4, 4) float64.
        start: where the optimisation began: `headers`, `image centres` or `centres of mass`.
    """

    matrix: NDArray[np.float64]
    start: str


def register_rigid(fixed: Image, moving: Image, *, fixed_mask: NDArray[np.bool_] | None = None) -> Registration:
    """Register two images of a head, rigidly and by normalised mutual information.

    The result is the same to the last bit on each run. Greedy uses one thread: with more, its sums differ from run to
    run, and it is no faster.

    Args:
        fixed: the fixed image, any real dtype, finite.
        moving: the moving image, likewise.
        fixed_mask: voxels of the fixed image that count, such as the brain; None for the whole head.

    Returns:
        The transform, from points of the fixed image to points of the moving image.
    """
    coarse, *finer = (make_level(fixed, moving, edge_mm, fixed_mask) for edge_mm in LEVELS_MM)
    starts = _starts(coarse)
    ranked = sorted(starts, key=lambda start: coarse.similarity(start[1]).score, reverse=True)[:_STARTS]
    optimised = [(name, _optimise(coarse, matrix)) for name, matrix in ranked]
    name, matrix = max(optimised, key=lambda start: coarse.similarity(start[1]).score)
    for level in finer:
        matrix = _optimise(level, matrix)
    return Registration(matrix, name)


def _starts(level: Level) -> list[tuple[str, NDArray[np.float64]]]:
    """Return the names and matrices of all starts: three translations, each as it is and turned around each axis."""
    fixed, moving = level.fixed, level.moving
    centre = _centre(fixed)
    shifts = {
        "headers": np.zeros(3),
        "image centres": _centre(moving) - centre,
        "centres of mass": _centre_of_mass(moving) - _centre_of_mass(fixed),
    }
    turns = [np.zeros(3), *(sign * _TURN_DEGREES * axis for axis in np.eye(3) for sign in (-1, 1))]
    return [
        (name, _rigid(Rotation.from_rotvec(turn, degrees=True).as_matrix(), centre, shift))
        for name, shift in shifts.items()
        for turn in turns
    ]


def _rigid(
    rotation: NDArray[np.float64], centre: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the matrix (4, 4) that rotates around a centre and then shifts."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = centre - rotation @ centre + shift
    return matrix


def _centre(image: Image) -> NDArray[np.float64]:
    """Return the middle of an image in millimetres."""
    return transform_points(image.affine, (np.array(image.shape) - 1) / 2)


def _centre_of_mass(image: Image) -> NDArray[np.float64]:
    """Return the centre of the brightness of an image in millimetres."""
    weights = image.array - np.percentile(image.array, 1)
    return transform_points(image.affine, np.array(ndimage.center_of_mass(np.maximum(weights, 0) + 1e-6)))


def _optimise(level: Level, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix that greedy finds from a start."""
    # Greedy starts at the identity: the moving image is put where `matrix` would move it.
    moved = Image(level.moving.array, inverse(matrix) @ level.moving.affine)
    shown = inside(moved, level.fixed, np.eye(4))
    images = {
        "fixed": _itk_image(level.fixed),
        "moving": _itk_image(moved),
        "shown": _itk_image(Image(shown.astype(np.float32), level.fixed.affine)),
    }
    greedy = Greedy3D()
    with _hidden_output():
        greedy.execute(_COMMAND, io.StringIO(), io.StringIO(), **images, matrix=None)
    return _nearest_rigid(matrix @ np.array(greedy["matrix"]))


def _nearest_rigid(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix (4, 4) without the rounding of float32 in its rotation."""
    left, _, right = np.linalg.svd(matrix[:3, :3])
    exact = matrix.copy()
    exact[:3, :3] = left @ right
    exact[3] = (0, 0, 0, 1)
    return exact


def _itk_image(image: Image) -> Any:
    """Return an image for greedy."""
    result: Any = SimpleITK.GetImageFromArray(np.ascontiguousarray(image.array.T))
    affine = _LPS @ image.affine
    edges = spacing_mm(affine)
    result.SetSpacing(edges.tolist())
    result.SetDirection((affine[:3, :3] / edges).ravel().tolist())
    result.SetOrigin(affine[:3, 3].tolist())
    return result


@contextmanager
def _hidden_output() -> Iterator[None]:
    """Hide what compiled code prints, which greedy's optimiser does even if it is told to be quiet."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # compiled code has a buffer of its own
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)
