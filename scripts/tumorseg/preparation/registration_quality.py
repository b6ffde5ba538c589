"""Measure a registration: whether two images show the same head in the same place."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tumorseg.preparation.levels import head, make_level
from tumorseg.preparation.sampling import Image, inside, sample, transform_points

_EDGE_MM: Final = 2.0
_DEPTH_MM: Final = 8.0
"""Edges are compared within the head at least this far from its surface: all heads have a surface."""
_SHIFT_MM: Final = 10.0
_STRONG_EDGE_PERCENTILE: Final = 95
_FEW_VOXELS: Final = 100


@dataclass(frozen=True)
class RegistrationQuality:
    """Measurements of a registration.

    Attributes:
        information_before: normalised mutual information minus 1, by the positions in the headers.
        information: the same after registration.
        sharpness: `information` divided by its median after shifts by 10 mm along each axis. It is near 1 if the images
            have no structures in common.
        edges: correlation of the strengths of the edges within the head, from -1 to 1.
        head_overlap: Dice of both heads, or brains, where the moving image shows the fixed one.
        shown: fraction of the fixed head, or brain, that the moving image shows.
        rotation_degrees: angle of the rotation.
        shift_mm: distance by which the centre of the fixed head moves.
    """

    information_before: float
    information: float
    sharpness: float
    edges: float
    head_overlap: float
    shown: float
    rotation_degrees: float
    shift_mm: float

    def facts(self) -> dict[str, Any]:
        """Return the measurements for a record, rounded to four decimals."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def measure_registration(
    fixed: Image, moving: Image, matrix: NDArray[np.float64], *, fixed_mask: NDArray[np.bool_] | None = None
) -> RegistrationQuality:
    """Return the quality of a registration.

    Args:
        fixed: the fixed image, any real dtype, finite.
        moving: the moving image, likewise.
        matrix: from the fixed image's millimetres to the moving image's, (4, 4).
        fixed_mask: voxels of the fixed image that count, such as the brain; None for the whole head.
    """
    level = make_level(fixed, moving, _EDGE_MM, fixed_mask)
    shown = inside(level.moving, level.fixed, matrix)
    moved_head = Image(head(level.moving).astype(np.float32), level.moving.affine)
    both = shown & (sample(moved_head, level.fixed, matrix) >= 0.5), shown & level.counted
    voxels = both[0].sum() + both[1].sum()
    deep = ndimage.distance_transform_edt(np.pad(both[1], 1), sampling=level.fixed.spacing_mm) > _DEPTH_MM
    edges = _edge_correlation(level.fixed.array, sample(level.moving, level.fixed, matrix), deep[1:-1, 1:-1, 1:-1])
    centre = level.points.points.mean(axis=0)[None]
    before, after = level.similarity(np.eye(4)), level.similarity(matrix)
    shifted = [
        level.similarity(_shift(sign * _SHIFT_MM * axis) @ matrix).information for axis in np.eye(3) for sign in (-1, 1)
    ]
    return RegistrationQuality(
        information_before=before.information,
        information=after.information,
        sharpness=after.information / max(float(np.median(shifted)), 1e-6),
        edges=edges,
        head_overlap=float(2 * (both[0] & both[1]).sum() / max(voxels, 1)),
        shown=after.overlap,
        rotation_degrees=float(np.degrees(Rotation.from_matrix(matrix[:3, :3]).magnitude())),
        shift_mm=float(np.linalg.norm(transform_points(matrix, centre) - centre)),
    )


def _shift(millimetres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix (4, 4) of a shift (3,)."""
    matrix = np.eye(4)
    matrix[:3, 3] = millimetres
    return matrix


def _edge_correlation(one: NDArray[np.float32], other: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the correlation of the strengths of the edges of two images within a mask; 0 if it is undefined."""
    if mask.sum() < _FEW_VOXELS:
        return 0.0
    strengths = [ndimage.gaussian_gradient_magnitude(image, 1.0)[mask] for image in (one, other)]
    bounded = [np.minimum(strength, np.percentile(strength, _STRONG_EDGE_PERCENTILE)) for strength in strengths]
    if min(float(np.ptp(strength)) for strength in bounded) == 0:
        return 0.0
    return float(np.corrcoef(*bounded)[0, 1])
