"""Simulate imperfect skull stripping: brain that is cut off, fluid that is kept, and remnants of skull and dura."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.random_fields import smooth_field

_OFFSET_MM: Final = (-1.5, 2.0)
"""Lowest and highest mean depth at which the brain is cut; negative: fluid around it is kept."""
_CLOSED_MM: Final = (2.0, 8.0)
"""Sulci up to twice this width belong to the brain."""
_ROUGHNESS_MM: Final = (0.1, 1.2)
_REMNANT_PROBABILITY: Final = 0.7
_REMNANT_THICKNESS_MM: Final = (2.0, 7.0)
_FACE_PROBABILITY: Final = 0.45
_SLAB_PROBABILITY: Final = 0.12


@dataclass(frozen=True)
class StrippedHead:
    """A brain after imperfect skull stripping.

    Attributes:
        anatomy: the anatomy; `brain` is what was kept, with fluid where it exceeds the brain.
        remnants: whether each voxel shows a remnant of skull, dura or orbit (X, Y, Z); part of `brain`.
    """

    anatomy: Anatomy
    remnants: NDArray[np.bool_]


def strip_skull(anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator) -> StrippedHead:
    """Return the head after a random, imperfect skull stripping.

    Args:
        anatomy: the complete brain.
        spacing_mm: edge of a voxel.
        rng: generator of the outline and of the remnants.
    """
    shape = anatomy.brain.shape
    outside_mm = ndimage.distance_transform_edt(~anatomy.brain, sampling=spacing_mm)
    # Masks of skull-stripping tools cover the sulci: enlarged by a distance, then reduced by the same one.
    closed_mm = rng.uniform(*_CLOSED_MM)
    enlarged = np.pad(outside_mm <= closed_mm, 1)
    depth_mm = ndimage.distance_transform_edt(enlarged, sampling=spacing_mm)[1:-1, 1:-1, 1:-1] - closed_mm
    depth_mm = np.where(depth_mm > 0, depth_mm, -outside_mm)
    wave = smooth_field(shape, spacing_mm, rng.uniform(15, 45), rng)
    kept = depth_mm > rng.uniform(*_OFFSET_MM) + rng.uniform(*_ROUGHNESS_MM) * wave
    remnants = np.zeros(shape, np.bool_)
    if rng.random() < _REMNANT_PROBABILITY:
        patches = smooth_field(shape, spacing_mm, rng.uniform(12, 40), rng) > rng.uniform(0.8, 2.0)
        thickness_mm = rng.uniform(*_REMNANT_THICKNESS_MM) * np.exp(0.5 * wave)
        remnants |= patches & ~kept & (outside_mm < thickness_mm) & (depth_mm < 2)
    if rng.random() < _FACE_PROBABILITY:
        remnants |= _face(anatomy, spacing_mm, outside_mm, rng) & ~kept
    kept |= remnants
    if rng.random() < _SLAB_PROBABILITY:
        kept &= _field_of_view(anatomy, spacing_mm, rng)
    kept &= np.pad(np.ones([size - 2 for size in shape], np.bool_), 1)  # a layer of background all around
    labels, count = ndimage.label(kept)
    if count > 1:  # specks far from the brain would only enlarge its box
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        kept = labels == sizes.argmax()
    fractions = (fraction * kept for fraction in (anatomy.grey, anatomy.white, anatomy.detail))
    grey, white, detail = fractions
    csf = (1 - grey - white) * kept
    return StrippedHead(replace(anatomy, grey=grey, white=white, csf=csf, detail=detail, brain=kept), remnants & kept)


def _face(
    anatomy: Anatomy, spacing_mm: float, outside_mm: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return remnants below the frontal lobes and beside the brain stem: orbits, nose and neck."""
    _, y, z = anatomy.position
    below = (z < rng.uniform(-45, -15)) & (outside_mm < rng.uniform(4, 14))
    front = y > rng.uniform(15, 50)
    lumps = smooth_field(anatomy.brain.shape, spacing_mm, rng.uniform(8, 20), rng) > rng.uniform(-0.2, 1.0)
    chosen: NDArray[np.bool_] = below & lumps & (front if rng.random() < 0.8 else True)
    return chosen


def _field_of_view(anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return the field of view of a scan that misses the top or the bottom of the brain."""
    planes = np.flatnonzero(anatomy.brain.any(axis=(0, 1)))
    missing = round(rng.uniform(4, 24) / spacing_mm)
    seen = np.zeros(anatomy.brain.shape, np.bool_)
    if rng.random() < 0.5:
        seen[:, :, planes[0] + missing :] = True
    else:
        seen[:, :, : planes[-1] + 1 - missing] = True
    return seen
