"""Random generators of synthetic cases, and draws that several parts share."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import numpy as np

_STREAM: Final = 20261
"""Keeps the generators apart from those of the demo cohort, whose keys are shorter."""


class Purpose(IntEnum):
    """What a generator is for. Separate generators keep the draws of one part independent of changes in another."""

    HEAD = 0
    OUTLINE = 1
    TUMOUR = 2
    LOOKALIKES = 3
    CONTRAST = 4
    SCANNER = 5


def case_generator(seed: int, index: int, purpose: Purpose) -> np.random.Generator:
    """Return the random generator for one purpose of the case with a number."""
    return np.random.default_rng([_STREAM, seed, index, int(purpose)])


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a random number between two positive bounds whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def choose(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Return a random key; the probability of a key is proportional to its weight."""
    names = list(weights)
    shares = np.array([weights[name] for name in names], float)
    return names[int(np.searchsorted(np.cumsum(shares) / shares.sum(), rng.random(), side="right"))]
