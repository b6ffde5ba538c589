"""Simulate tissue that looks like tumour but is in no mask.

White-matter lesions look like oedema; vessels, meninges and choroid plexus look like enhancing tumour. Their
intensities are those of tumour; only size, position and surroundings differ.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.random_fields import smooth_field

_CAP_MM = 5.0
_LESION_COUNT = (8, 16)
_LESION_RADIUS_MM = (2.5, 6.0)
_PLEXUS_MM = 16.0
_SINUS_MM = 5.0


@dataclass(frozen=True)
class Lookalikes:
    """Volume fractions of tissue that looks like tumour (X, Y, Z).

    Attributes:
        lesions: white-matter lesions.
        vessels: all tissue that takes up contrast agent.
    """

    lesions: NDArray[np.float32]
    vessels: NDArray[np.float32]


def make_lookalikes(anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator) -> Lookalikes:
    """Return simulated lookalikes of one patient.

    Args:
        anatomy: the patient's anatomy.
        spacing_mm: edge of a voxel.
        rng: generator of numbers, positions and shapes.
    """
    x, y, z = anatomy.position
    ventricles = (anatomy.csf > 0.6) & (abs(x) < 30) & (y > -60) & (y < 40) & (z > -5) & (z < 35)
    ventricles &= ndimage.distance_transform_edt(anatomy.brain, sampling=spacing_mm) > 20
    lesions = _periventricular_caps(anatomy, ventricles, spacing_mm, rng) | _round_lesions(anatomy, spacing_mm, rng)
    vessels = _meninges(anatomy, spacing_mm, rng) | _sulcal_vessels(anatomy, spacing_mm, rng)
    vessels |= ventricles & (smooth_field(x.shape, spacing_mm, _PLEXUS_MM, rng) > 0.5)
    return Lookalikes(
        _soften(lesions) * (anatomy.white + 0.3 * anatomy.grey),
        _soften(vessels) * anatomy.brain,
    )


def _periventricular_caps(
    anatomy: Anatomy, ventricles: NDArray[np.bool_], spacing_mm: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return periventricular caps: patches of white matter along the walls of the ventricles."""
    near = ndimage.distance_transform_edt(~ventricles, sampling=spacing_mm) < max(_CAP_MM, 1.5 * spacing_mm)
    patches = smooth_field(near.shape, spacing_mm, 22.0, rng) > 0.0
    caps: NDArray[np.bool_] = near & ~ventricles & patches & (anatomy.white > 0.4)
    return caps


def _round_lesions(anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return small round lesions scattered through the white matter of the cerebrum."""
    weight = (anatomy.white > 0.8) & (anatomy.position[2] > 0)
    count = int(rng.integers(*_LESION_COUNT))
    centres = np.unravel_index(rng.choice(weight.size, count, p=weight.ravel() / weight.sum()), weight.shape)
    indices = np.indices(weight.shape, dtype=np.float32)
    spots = np.zeros(weight.shape, np.bool_)
    for i, j, k in zip(*centres, strict=True):
        offset = indices - np.array([i, j, k], np.float32)[:, None, None, None]
        spots |= spacing_mm * np.linalg.norm(offset, axis=0) < rng.uniform(*_LESION_RADIUS_MM)
    return spots


def _meninges(anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return the superior sagittal sinus and patches of the brain's surface."""
    depth = ndimage.distance_transform_edt(anatomy.brain, sampling=spacing_mm)
    x, _, z = anatomy.position
    sinus = (abs(x) < _SINUS_MM) & (z > 20) & (depth < 2 * _SINUS_MM)
    patches = smooth_field(depth.shape, spacing_mm, 30.0, rng) > 0.8
    meninges: NDArray[np.bool_] = anatomy.brain & (sinus | (patches & (depth < 1.6 * spacing_mm)))
    return meninges


def _sulcal_vessels(anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return segments of vessels in sulci and cisterns."""
    vessels = abs(smooth_field(anatomy.brain.shape, spacing_mm, 12.0, rng)) < 0.15
    return vessels & (anatomy.csf > 0.35)


def _soften(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a region as volume fractions, with its edge blurred by half a voxel."""
    soft: NDArray[np.float32] = ndimage.gaussian_filter(region.astype(np.float32), 0.5)
    return soft
