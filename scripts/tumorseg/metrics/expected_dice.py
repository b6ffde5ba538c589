"""The Dice to expect of a mask without a reference, from the soft Dice and the true Dice of held-out cases.

A straight line: with the 10 to 100 held-out cases of most trainings, a curve with more freedom follows single cases.
Its slope is not negative, and beyond the held-out cases it stays level. Empty masks are left out: their Dice is 1 or 0,
which no probability tells.

References:
    Roy et al. 2019, doi:10.1016/j.neuroimage.2019.03.042 (Dice predicted from the agreement of a network with itself).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tumorseg.metrics.held_out import MIN_PATIENTS, Estimate, HeldOut


@dataclass(frozen=True)
class DiceLine:
    """The Dice to expect as a function of the soft Dice.

    Attributes:
        intercept: Dice at a soft Dice of 0.
        slope: at least 0.
        low: smallest soft Dice of the held-out cases; below it, the line is level.
        high: largest soft Dice of the held-out cases; above it, the line is level.
    """

    intercept: float
    slope: float
    low: float
    high: float

    def __call__(self, soft_dice: float) -> float:
        """Return the Dice to expect, 0 to 1."""
        dice = self.intercept + self.slope * min(max(soft_dice, self.low), self.high)
        return min(max(dice, 0.0), 1.0)


def fit_dice(cases: Sequence[HeldOut]) -> DiceLine | None:
    """Return the line by least squares, with the same weight for each patient; None for fewer than 9 patients.

    Args:
        cases: a structure of the held-out cases. Those with an empty mask are left out.
    """
    present = [case for case in cases if case.estimate.mm3 > 0]
    counts = Counter(case.patient for case in present)
    if len(counts) < MIN_PATIENTS:
        return None
    soft = np.array([case.estimate.quality.soft_dice for case in present])
    dice = np.array([case.dice for case in present])
    weights = np.array([1 / counts[case.patient] for case in present]) / len(counts)
    soft_mean, dice_mean = float(weights @ soft), float(weights @ dice)
    variance = float(weights @ (soft - soft_mean) ** 2)
    covariance = float(weights @ ((soft - soft_mean) * (dice - dice_mean)))
    slope = max(0.0, covariance / variance) if variance > 0 else 0.0
    return DiceLine(dice_mean - slope * soft_mean, slope, float(soft.min()), float(soft.max()))


def expected_dice(line: DiceLine | None, estimates: Sequence[Estimate]) -> float | None:
    """Return the mean of the Dice to expect of each model's mask; None without a line or with an empty mask.

    Args:
        line: the line of the held-out cases.
        estimates: what each model says about the structure.
    """
    if line is None or any(estimate.mm3 == 0 for estimate in estimates):
        return None
    return sum(line(estimate.quality.soft_dice) for estimate in estimates) / len(estimates)
