"""A structure of a held-out case: what its model said about it, and the truth."""

from collections.abc import Hashable
from dataclasses import dataclass

from tumorseg.metrics.mask_quality import MaskQuality


@dataclass(frozen=True)
class Estimate:
    """What a model says about a structure of a case.

    Attributes:
        mm3: volume in the mask after post-processing.
        quality: what the network says about its mask.
    """

    mm3: float
    quality: MaskQuality


@dataclass(frozen=True)
class HeldOut:
    """A structure of a held-out case.

    Attributes:
        patient: identifies the patient, who may have several cases.
        estimate: what the model said about it.
        reference_mm3: volume in the reference.
        dice: Dice of the mask after post-processing.
    """

    patient: Hashable
    estimate: Estimate
    reference_mm3: float
    dice: float


MIN_PATIENTS = 9
"""Fewer held-out patients give neither an interval nor an expected Dice: with 9, the largest of 9 errors is exceeded by
one in 10 further patients, which is the level of the intervals."""
