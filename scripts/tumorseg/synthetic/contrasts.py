"""Draw the mean intensity of each tissue in each channel, from realistic contrasts to invented ones.

Means are relative to white matter, whose mean is 1. The realistic ranges were chosen from textbooks of neuroradiology
and checked against the intensities of real BraTS cases; no voxel of a real scan is used.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tumorseg.synthetic.draws import choose, log_uniform

MODES: Final = {"realistic": 0.7, "wide": 0.22, "invented": 0.08}
"""Probability of each mode: realistic means, realistic means with large changes, or any contrast of healthy tissue."""
Means = dict[str, float]
"""Mean intensity by tissue."""

_RANGES: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "t1": {
        "grey": (0.78, 0.97),
        "csf": (0.10, 0.42),
        "lesion": (0.80, 1.0),
        "vessel": (0.4, 1.1),
        "remnant": (0.1, 1.5),
        "oedema": (0.80, 0.99),
        "solid": (0.60, 0.92),
        "fluid": (0.35, 0.78),
        "blood": (0.35, 1.5),
        "enhancing": (0.66, 1.0),
        "cavity": (0.2, 0.5),
    },
    "t2": {
        "grey": (1.12, 1.6),
        "csf": (2.0, 3.6),
        "lesion": (1.2, 2.0),
        "vessel": (0.4, 1.4),
        "remnant": (0.1, 2.5),
        "oedema": (1.45, 2.4),
        "solid": (1.5, 2.7),
        "fluid": (1.7, 3.3),
        "blood": (0.4, 1.7),
        "enhancing": (1.3, 2.5),
        "cavity": (2.0, 3.6),
    },
    "flair": {
        "grey": (1.02, 1.4),
        "csf": (0.15, 0.65),
        "lesion": (1.2, 2.2),
        "vessel": (0.5, 1.3),
        "remnant": (0.1, 1.8),
        "oedema": (1.35, 2.2),
        "solid": (1.3, 2.5),
        "fluid": (0.5, 2.4),
        "blood": (0.5, 1.8),
        "enhancing": (1.1, 2.0),
        "cavity": (0.15, 0.8),
    },
}
_ENHANCEMENT: Final = (1.1, 2.1)
"""Enhancing tissue after contrast agent, relative to the brightest healthy tissue."""
_WIDE: Final = 0.22
"""Standard deviation of the logarithm of the changes in the mode `wide`."""
_HEALTHY: Final = ("grey", "csf")


def draw_contrasts(channels: Sequence[str], rng: np.random.Generator) -> dict[str, Means]:
    """Return the means of all tissues by channel.

    Whatever the mode, enhancing tissue is brighter than healthy tissue on T1CE, and oedema is brighter than white and
    grey matter on T2 and FLAIR: these relations define the labels.

    Args:
        channels: names of channels, of `requirements.CHANNELS`.
        rng: generator of the draws.
    """
    mode = choose(rng, MODES)
    fluid_like = rng.random() < 0.25
    means = {channel: _draw_means(channel, mode, rng) for channel in ("t1", "t2", "flair")}
    if fluid_like:  # cysts look like cerebrospinal fluid; necrosis may be bright on FLAIR
        for channel in means.values():
            channel["fluid"] = float(np.exp(0.12 * rng.standard_normal())) * (
                0.8 * channel["csf"] + 0.2 * channel["solid"]
            )
    if mode != "invented":  # fluid and solid core have more water than oedema
        means["t2"]["solid"] = max(means["t2"]["solid"], means["t2"]["oedema"] * rng.uniform(0.85, 1.2))
        means["t1"]["solid"] = min(means["t1"]["solid"], means["t1"]["oedema"] * rng.uniform(0.8, 1.05))
    means["t1ce"] = _after_contrast_agent(means["t1"], mode, rng)
    return {channel: means[channel] for channel in channels}


def _draw_means(channel: str, mode: str, rng: np.random.Generator) -> Means:
    means = {"white": 1.0, **{tissue: rng.uniform(*bounds) for tissue, bounds in _RANGES[channel].items()}}
    if mode == "wide":
        means = {tissue: mean * float(np.exp(_WIDE * rng.standard_normal())) for tissue, mean in means.items()}
    if mode == "invented":
        means.update({tissue: log_uniform(rng, 0.25, 2.0) for tissue in _HEALTHY})
    if channel in ("t2", "flair"):
        matter = max(means["white"], means["grey"])
        least = matter * rng.uniform(1.1, 1.4)
        means["oedema"] = max(means["oedema"], least)
        if mode == "invented":
            excess = means["oedema"] / matter
            for tissue in ("solid", "enhancing"):
                means[tissue] = matter * excess * float(np.exp(0.3 * rng.standard_normal()))
    return means


def _after_contrast_agent(t1: Means, mode: str, rng: np.random.Generator) -> Means:
    """Return the means on T1CE: those of T1, of another T1 sequence, or of a mixture, with enhancement."""
    other = _draw_means("t1", mode, rng)
    share = 0.0 if rng.random() < 0.5 else rng.uniform(0, 1)
    means = {
        tissue: float(np.exp(0.03 * rng.standard_normal())) * ((1 - share) * mean + share * other[tissue])
        for tissue, mean in t1.items()
    }
    brightest = max(means["white"], means["grey"])
    means["enhancing"] = brightest * log_uniform(rng, *_ENHANCEMENT)
    means["vessel"] = brightest * log_uniform(rng, 1.0, 2.6)
    means["remnant"] = brightest * rng.uniform(0.3, 2.2)
    return means
