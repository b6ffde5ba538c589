"""Real anatomy for the demo cohort: the MNI152 maps that the nilearn wheel carries, smoothly deformed for each patient.

ICBM 2009a nonlinear symmetric: Fonov et al. 2011 (doi:10.1016/j.neuroimage.2010.07.033).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nibabel
import nilearn
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tumorseg.demo.random_fields import smooth_field

MARGIN_MM: Final = 8.0
"""Room around the template's brain, for patients whose head is larger or turned."""

_MAPS: Final = ("t1", "gm", "wm")
_ROTATION_DEGREES: Final = 4.0
_SCALES: Final = (0.92, 1.0)
_DISPLACEMENT_MM: Final = 3.0
_DISPLACEMENT_SCALE_MM: Final = 40.0


@dataclass(frozen=True)
class CohortGrid:
    """The grid of all cases: voxels along each axis, edge of a voxel in millimetres, voxel to millimetres (4, 4).

    The first axis runs to the patient's left, the second to the back, the third upwards, as in BraTS.
    """

    shape: tuple[int, int, int]
    spacing: float
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Template:
    """The MNI152 maps at 1 mm, float32 (4, X, Y, Z): grey, white, brain (0 to 1) and the T1 detail within tissues.

    The detail is the T1 intensity less the mean of the tissues present, in units of the mean of white matter.
    """

    maps: NDArray[np.float32]
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Anatomy:
    """One patient's brain on the cohort's grid; all arrays are (X, Y, Z), float32, 0 outside the boolean `brain`.

    grey, white and csf are volume fractions that sum to 1. `position` (3, X, Y, Z): where in the template, in MNI
    millimetres, each voxel comes from.
    """

    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    csf: NDArray[np.float32]
    detail: NDArray[np.float32]
    brain: NDArray[np.bool_]
    position: NDArray[np.float32]


def load_template(spacing_mm: float) -> Template:
    """The template of the installed nilearn, smoothed for sampling at `spacing` millimetres. No network is used."""
    folder = Path(nilearn.__path__[0]) / "datasets" / "data"
    images: list[Any] = [
        nibabel.load(folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz") for name in _MAPS
    ]
    t1, grey, white = (np.asarray(image.dataobj, dtype=np.float32) / 255 for image in images)
    brain = (t1 > 0).astype(np.float32)
    csf = np.clip(brain - grey - white, 0, 1)
    means = [t1[fraction > 0.9].mean() for fraction in (grey, white, csf)]
    detail = (t1 - sum(mean * fraction for mean, fraction in zip(means, (grey, white, csf), strict=True))) / means[1]
    detail *= brain
    # Full width at half maximum of about one voxel's edge: finer detail would alias on the coarse grid.
    maps = [ndimage.gaussian_filter(one, 0.4 * spacing_mm) for one in (grey, white, brain, detail)]
    return Template(np.stack(maps), np.asarray(images[0].affine))


def cohort_grid(template: Template, spacing_mm: float) -> CohortGrid:
    """The grid at `spacing` millimetres that holds the template's brain and a margin."""
    inside = np.argwhere(template.maps[2] > 0.5)
    corners = np.stack([inside.min(axis=0), inside.max(axis=0)]) + template.affine[:3, 3]
    low, high = corners[0] - MARGIN_MM, corners[1] + MARGIN_MM
    sizes = [int(np.ceil(extent / spacing_mm)) for extent in high - low]
    affine = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = high[0], high[1], low[2]
    return CohortGrid((sizes[0], sizes[1], sizes[2]), spacing_mm, affine)


def deform_template(template: Template, grid: CohortGrid, rng: np.random.Generator) -> Anatomy:
    """A patient's anatomy: the template turned, scaled and smoothly displaced at random, on the cohort's grid."""
    position = _template_positions(grid, rng)
    voxels = position - template.affine[:3, 3, None, None, None].astype(np.float32)
    grey, white, inside, detail = (ndimage.map_coordinates(one, voxels, order=1) for one in template.maps)
    brain = ndimage.binary_fill_holes(inside > 0.5)
    grey, white = np.clip(grey, 0, 1) * brain, np.clip(white, 0, 1) * brain
    total = np.maximum(grey + white, 1)
    grey, white = grey / total, white / total
    return Anatomy(grey, white, (1 - grey - white) * brain, detail * brain, brain, position)


def _template_positions(grid: CohortGrid, rng: np.random.Generator) -> NDArray[np.float32]:
    """The point of the template, in millimetres, that each voxel of the grid shows; (3, X, Y, Z)."""
    indices: NDArray[Any] = np.indices(grid.shape, dtype=np.float32)
    steps = np.diag(grid.affine)[:3, None, None, None]
    points = indices * steps + grid.affine[:3, 3, None, None, None]
    centre = points.mean(axis=(1, 2, 3), keepdims=True)
    turn = Rotation.from_euler("xyz", rng.uniform(-_ROTATION_DEGREES, _ROTATION_DEGREES, 3), degrees=True).as_matrix()
    matrix = turn @ np.diag(1 / rng.uniform(*_SCALES, 3))
    turned = np.einsum("ij,jxyz->ixyz", matrix, points - centre) + centre
    fields = [smooth_field(grid.shape, grid.spacing, _DISPLACEMENT_SCALE_MM, rng) for _ in range(3)]
    displaced: NDArray[np.float32] = (turned + _DISPLACEMENT_MM * np.stack(fields)).astype(np.float32)
    return displaced
