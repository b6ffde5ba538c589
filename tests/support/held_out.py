"""Held-out cases of a model, in numbers."""

from collections.abc import Sequence

import numpy as np

from tests.support.builders import TASK
from tumorseg.metrics.held_out import Estimate, HeldOut
from tumorseg.metrics.mask_quality import MaskQuality
from tumorseg.networks.held_out_quality import HeldOutCase, HeldOutCases

SETTINGS = {"overlap": 0.5, "window": [16, 16, 16], "probabilities": False}


def held_out_case(patient: int, soft_dice: float = 0.8, mm3: float = 30_000.0, channels=TASK.channel_names):
    """Return a case in which the true Dice is 0.1 below the soft Dice, and the true volume 10 % above the mask's."""
    quality = MaskQuality(soft_dice, mm3, mm3)
    structure = HeldOut(patient, Estimate(mm3, quality), 1.1 * mm3, round(max(0.0, soft_dice - 0.1), 6))
    return HeldOutCase(patient, channels, dict.fromkeys(TASK.structures, structure))


def held_out_cases(patients: int = 12, settings=SETTINGS, channels: Sequence[str] = TASK.channel_names):
    """Return cases with a soft Dice from 0.5 to 0.9 and volumes from 10 to 60 ml."""
    soft, mm3 = np.linspace(0.5, 0.9, patients).tolist(), np.linspace(10_000, 60_000, patients).tolist()
    cases = [held_out_case(patient, soft[patient], mm3[patient], channels) for patient in range(patients)]
    return HeldOutCases(tuple(cases), settings)
