"""Draw a patient's tumours: how many, how large, of which pattern, and where."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.demo.anatomy import Anatomy
from tumorseg.synthetic.draws import choose, log_uniform

PATTERNS: Final = {
    "ring": 0.33,  # enhancing rim around necrosis
    "patchy": 0.15,  # irregular enhancing patches
    "cells": 0.10,  # several cells with enhancing walls
    "enclosed": 0.10,  # enhancing part within a larger core
    "enhancing": 0.06,  # enhancing nearly everywhere
    "nodule": 0.06,  # cyst with an enhancing nodule
    "specks": 0.10,  # small enhancing specks
    "dark": 0.10,  # no enhancement
}
"""Probability of each pattern of the core."""
_VOLUME_ML: Final = (80.0, 0.75)
"""Median volume of all tumours of a patient, and standard deviation of its logarithm."""
_VOLUME_LIMITS_ML: Final = (6.0, 260.0)
_CORE_FRACTION: Final = (1.35, 1.2)
"""Parameters of the beta distribution of the core's fraction of the volume."""
_FOCI: Final = {"1": 0.74, "2": 0.15, "3": 0.06, "4": 0.03, "7": 0.02}
_BUTTERFLY_PROBABILITY: Final = 0.06
_REPEATED_PATTERN_PROBABILITY: Final = 0.7


@dataclass(frozen=True)
class Focus:
    """One focus of a patient's tumours.

    Attributes:
        centre: voxel index of its origin.
        pattern: a key of `PATTERNS`.
        core_ml: volume of its core.
        oedema_ml: volume of its oedema.
        butterfly: whether it crosses the midline through the corpus callosum.
        mass_effect_mm: largest shift of the tissue around the core.
    """

    centre: tuple[int, int, int]
    pattern: str
    core_ml: float
    oedema_ml: float
    butterfly: bool
    mass_effect_mm: float


def plan_foci(
    anatomy: Anatomy, depth_mm: NDArray[np.float64], spacing_mm: float, rng: np.random.Generator
) -> list[Focus]:
    """Draw the foci of a patient.

    Args:
        anatomy: the anatomy without the tumour.
        depth_mm: distance of each voxel of the brain to its surface (X, Y, Z).
        spacing_mm: edge of a voxel.
        rng: generator of all draws.

    Returns:
        The foci, at least one.
    """
    count = int(choose(rng, _FOCI))
    median, spread = _VOLUME_ML
    total_ml = float(np.clip(median * np.exp(spread * rng.standard_normal()), *_VOLUME_LIMITS_ML))
    brain_ml = float(anatomy.brain.sum()) * spacing_mm**3 / 1000
    total_ml = min(total_ml, 0.25 * brain_ml)
    shares = rng.dirichlet(np.full(count, 1.2))
    butterfly = count == 1 and rng.random() < _BUTTERFLY_PROBABILITY
    pattern = choose(rng, PATTERNS)
    weight = _site_weights(anatomy, depth_mm, butterfly=butterfly)
    foci: list[Focus] = []
    for share in shares:
        if foci and rng.random() > _REPEATED_PATTERN_PROBABILITY:
            pattern = choose(rng, PATTERNS)
        core_fraction = float(np.clip(rng.beta(*_CORE_FRACTION), 0.01, 0.97))
        core_ml = total_ml * share * core_fraction
        centre = _draw_centre(weight, rng)
        if foci and rng.random() < 0.6:  # most further foci are near the first one
            weight_near = weight * _nearness(weight.shape, foci[0].centre, spacing_mm, rng.uniform(25, 60))
            centre = _draw_centre(weight_near, rng) if weight_near.sum() > 0 else centre
        radius_mm = (core_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
        push_mm = rng.uniform(0, 0.75) * radius_mm if rng.random() < 0.85 else 0.0
        foci.append(Focus(centre, pattern, core_ml, total_ml * share - core_ml, butterfly, min(push_mm, 14.0)))
    return foci


def _site_weights(anatomy: Anatomy, depth_mm: NDArray[np.float64], *, butterfly: bool) -> NDArray[np.float64]:
    """Return how likely a focus starts in each voxel."""
    x, y, z = anatomy.position
    if butterfly:
        callosum = (abs(x) < 9) & (y > -50) & (y < 40) & (z > 2) & (z < 32) & (anatomy.white > 0.4)
        if callosum.any():
            return np.asarray(callosum, np.float64)
    tissue = anatomy.white + 0.35 * anatomy.grey
    region = np.where(z > -25, 1.0, 0.15) * np.where(y < -35, np.where(z < -12, 0.1, 1.0), 1.0)
    return np.asarray(tissue * region * (depth_mm > 7) * (abs(x) > 4), np.float64)


def _draw_centre(weight: NDArray[np.float64], rng: np.random.Generator) -> tuple[int, int, int]:
    total = np.cumsum(weight.ravel())
    chosen = int(np.searchsorted(total, rng.random() * total[-1], side="right"))
    i, j, k = np.unravel_index(min(chosen, weight.size - 1), weight.shape)
    return int(i), int(j), int(k)


def _nearness(
    shape: tuple[int, ...], centre: tuple[int, int, int], spacing_mm: float, radius_mm: float
) -> NDArray[np.bool_]:
    offset = np.indices(shape, dtype=np.float32) - np.array(centre, np.float32)[:, None, None, None]
    near: NDArray[np.bool_] = np.sqrt((offset**2).sum(axis=0)) * spacing_mm < radius_mm
    return near


def random_reach_mm(core_ml: float, rng: np.random.Generator) -> float:
    """Return over which distance a focus of a volume displaces tissue."""
    radius_mm = (core_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    return float(np.clip(radius_mm * log_uniform(rng, 0.5, 1.2), 8, 30))
