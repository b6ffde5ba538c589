"""Derive the anatomy of demo patients: the MNI152 template from the nilearn package, deformed for each patient.

References:
    Fonov et al. 2011, doi:10.1016/j.neuroimage.2010.07.033 (ICBM 2009a nonlinear symmetric)
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
"""Margin around the template's brain, for larger or rotated heads."""

_MAPS: Final = ("t1", "gm", "wm")
_ROTATION_DEGREES: Final = 4.0
_SCALES: Final = (0.92, 1.0)
_DISPLACEMENT_MM: Final = 3.0
_DISPLACEMENT_SCALE_MM: Final = 40.0


@dataclass(frozen=True)
class CohortGrid:
    """The grid of all cases. Axes run left, posterior and superior, as in BraTS.

    Attributes:
        shape: number of voxels along each axis.
        spacing_mm: edge of a voxel.
        affine: voxel indices to millimetres (4, 4).
    """

    shape: tuple[int, int, int]
    spacing_mm: float
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Template:
    """The MNI152 template at 1 mm.

    Attributes:
        maps: grey matter, white matter and brain, from 0 to 1, and the T1 detail (4, X, Y, Z). The detail is the T1
            intensity minus the mean of the tissues in the voxel, in units of the mean of white matter.
        affine: voxel indices to MNI millimetres (4, 4).
    """

    maps: NDArray[np.float32]
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Anatomy:
    """One patient's brain on the grid of the cohort; all maps (X, Y, Z) are 0 outside the brain.

    Attributes:
        grey: volume fraction of grey matter.
        white: volume fraction of white matter.
        csf: volume fraction of cerebrospinal fluid; the three fractions sum to 1.
        detail: T1 detail, see `Template`.
        brain: whether each voxel is in the brain.
        position: point of the template that each voxel shows, in MNI millimetres (3, X, Y, Z).
    """

    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    csf: NDArray[np.float32]
    detail: NDArray[np.float32]
    brain: NDArray[np.bool_]
    position: NDArray[np.float32]


def load_template(spacing_mm: float) -> Template:
    """Return the template from the installed nilearn package, smoothed for sampling at `spacing_mm`."""
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
    maps = [ndimage.gaussian_filter(volume, 0.4 * spacing_mm) for volume in (grey, white, brain, detail)]
    return Template(np.stack(maps), np.asarray(images[0].affine))


def cohort_grid(template: Template, spacing_mm: float) -> CohortGrid:
    """Return the grid at `spacing_mm` that covers the template's brain and a margin."""
    inside = np.argwhere(template.maps[2] > 0.5)
    corners = np.stack([inside.min(axis=0), inside.max(axis=0)]) + template.affine[:3, 3]
    low, high = corners[0] - MARGIN_MM, corners[1] + MARGIN_MM
    sizes = [int(np.ceil(extent / spacing_mm)) for extent in high - low]
    affine = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = high[0], high[1], low[2]
    return CohortGrid((sizes[0], sizes[1], sizes[2]), spacing_mm, affine)


def deform_template(template: Template, grid: CohortGrid, rng: np.random.Generator) -> Anatomy:
    """Return a patient's anatomy: the template after a random rotation, scaling and smooth displacement.

    Args:
        template: the template to deform.
        grid: grid of the anatomy.
        rng: generator of the deformation.
    """
    position = _template_positions(grid, rng)
    voxels = position - template.affine[:3, 3, None, None, None].astype(np.float32)
    grey, white, inside, detail = (ndimage.map_coordinates(volume, voxels, order=1) for volume in template.maps)
    brain = ndimage.binary_fill_holes(inside > 0.5)
    grey, white = np.clip(grey, 0, 1) * brain, np.clip(white, 0, 1) * brain
    total = np.maximum(grey + white, 1)
    grey, white = grey / total, white / total
    return Anatomy(grey, white, (1 - grey - white) * brain, detail * brain, brain, position)


def _template_positions(grid: CohortGrid, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the point of the template, in millimetres, that each voxel of the grid shows (3, X, Y, Z)."""
    indices: NDArray[Any] = np.indices(grid.shape, dtype=np.float32)
    steps = np.diag(grid.affine)[:3, None, None, None]
    points = indices * steps + grid.affine[:3, 3, None, None, None]
    centre = points.mean(axis=(1, 2, 3), keepdims=True)
    rotation = Rotation.from_euler(
        "xyz", rng.uniform(-_ROTATION_DEGREES, _ROTATION_DEGREES, 3), degrees=True
    ).as_matrix()
    matrix = rotation @ np.diag(1 / rng.uniform(*_SCALES, 3))
    transformed = np.einsum("ij,jxyz->ixyz", matrix, points - centre) + centre
    fields = [smooth_field(grid.shape, grid.spacing_mm, _DISPLACEMENT_SCALE_MM, rng) for _ in range(3)]
    displaced: NDArray[np.float32] = (transformed + _DISPLACEMENT_MM * np.stack(fields)).astype(np.float32)
    return displaced
