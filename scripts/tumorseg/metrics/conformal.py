"""Intervals for the volume of a structure, from the errors that models made on their held-out cases.

Conformal prediction: the interval of a new patient is as wide as it must be to contain the true volume of 9 of 10
patients like the held-out ones, whatever the network and the distribution of the errors. With one model it is split
conformal prediction. With the models of a cross-validation it is CV+, where each error counts with the model that made
it. Patients with several cases count once.

- The error of a case is the absolute logarithm of (true volume + c) / (predicted volume + c), with c = 1 ml. The
  logarithm, because errors grow with the volume; c, so that a volume may be 0, and because errors far below 1 ml matter
  little.
- It is divided by a scale that is larger where the network is less certain. If the soft Dice d were the true Dice, the
  logarithm could not exceed log((2 - d) / d). This bound plus 0.1 is the scale: without the 0.1, a very certain network
  would get an interval without width. The scale depends on the case alone and is not fitted, which keeps the guarantee.

References:
    Vovk, Gammerman, Shafer 2005, doi:10.1007/b106715 (conformal prediction). Lei et al. 2018,
    doi:10.1080/01621459.2017.1307116 (split). Barber et al. 2021, doi:10.1214/20-AOS1965 (jackknife+ and CV+).
    Papadopoulos, Vovk, Gammerman 2011, doi:10.1613/jair.3198 (errors divided by a scale). Lee, Barber, Willett 2023,
    arXiv:2306.06342 (several cases of a patient).
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.held_out import Estimate, HeldOut
from tumorseg.metrics.mask_quality import MaskQuality

LEVEL: Final = 0.9
"""Share of patients whose true volume the interval contains. 0.95 would need 19 held-out patients."""
OFFSET_MM3: Final = 1000.0
_MIN_SCALE: Final = 0.1
_ROUNDING: Final = 1e-9


def volume_interval(
    held_out: Sequence[Sequence[HeldOut]], estimates: Sequence[Estimate], level: float = LEVEL
) -> tuple[float, float] | None:
    """Return the interval for the true volume of a structure in mm³.

    Args:
        held_out: the held-out cases of each model.
        estimates: what each model says about the new case, in the same order.
        level: share of the patients that the intervals contain.

    Returns:
        The lower and upper end; None with too few held-out patients, 9 for a level of 0.9.
    """
    centres: list[float] = []
    widths: list[float] = []
    patients: list[Hashable] = []
    for cases, estimate in zip(held_out, estimates, strict=True):
        centre, scale = _log_volume(estimate.mm3), volume_scale(estimate.quality)
        centres += [centre] * len(cases)
        widths += [scale * volume_error(case) for case in cases]
        patients += [case.patient for case in cases]
    lows, highs = np.subtract(centres, widths), np.add(centres, widths)
    low, high = -_quantile(-lows, patients, level), _quantile(highs, patients, level)
    if not math.isfinite(high):
        return None
    return max(0.0, math.exp(low) - OFFSET_MM3), math.exp(high) - OFFSET_MM3


def volume_error(case: HeldOut) -> float:
    """Return the error of the volume of a held-out case, in units of its scale."""
    error = abs(_log_volume(case.reference_mm3) - _log_volume(case.estimate.mm3))
    return error / volume_scale(case.estimate.quality)


def volume_scale(quality: MaskQuality) -> float:
    """Return the scale of the errors of a volume; it grows as the network becomes less certain.

    c is added to both volumes and to their overlap, as in the error: an empty mask has a scale, too.
    """
    volumes = quality.expected_mm3 + quality.mask_mm3
    dice = (quality.soft_dice * volumes + 2 * OFFSET_MM3) / (volumes + 2 * OFFSET_MM3)
    return _MIN_SCALE + math.log((2 - dice) / dice)


def _log_volume(mm3: float) -> float:
    return math.log(mm3 + OFFSET_MM3)


def _quantile(values: NDArray[np.float64], patients: Sequence[Hashable], level: float) -> float:
    """Return the smallest value that a new patient exceeds with a probability of at most 1 - level; else infinity.

    Each of n patients has the weight 1 / (n + 1), divided among its cases. The rest belongs to the new patient.
    """
    cases = Counter(patients)
    weights = np.array([1 / ((len(cases) + 1) * cases[patient]) for patient in patients])
    order = np.argsort(values)
    reached = np.flatnonzero(np.cumsum(weights[order]) >= level - _ROUNDING)
    return float(values[order][reached[0]]) if reached.size else math.inf
