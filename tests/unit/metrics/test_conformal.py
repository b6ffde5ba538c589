"""Intervals of volumes from the errors of held-out cases."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from tumorseg.metrics.conformal import OFFSET_MM3, volume_error, volume_interval, volume_scale
from tumorseg.metrics.held_out import Estimate, HeldOut
from tumorseg.metrics.mask_quality import MaskQuality


def quality(soft_dice: float = 0.9, mm3: float = 20_000.0) -> MaskQuality:
    return MaskQuality(soft_dice, mm3, mm3)


def held_out(patient, *, factor: float = 1.0, mm3: float = 20_000.0, soft_dice: float = 0.9) -> HeldOut:
    """Return a case whose true volume plus c is a multiple of the predicted volume plus c."""
    reference = (mm3 + OFFSET_MM3) * factor - OFFSET_MM3
    return HeldOut(patient, Estimate(mm3, quality(soft_dice, mm3)), reference, dice=0.8)


def draw(rng, patient) -> HeldOut:
    """Return a case with a random volume and certainty, whose error depends on these unlike the scale."""
    mm3, soft_dice = float(rng.lognormal(9, 1.5)), float(rng.uniform(0.5, 0.99))
    error = rng.standard_t(3) * (1.2 - soft_dice) ** 2
    reference = max(0.0, (mm3 + OFFSET_MM3) * math.exp(error) - OFFSET_MM3)
    return HeldOut(patient, Estimate(mm3, quality(soft_dice, mm3)), reference, dice=0.5)


def contains(interval, mm3: float) -> bool:
    return interval[0] <= mm3 <= interval[1]


@pytest.mark.parametrize("patients", [9, 19, 40])
def test_the_coverage_of_new_patients_is_exact(patients):
    rng, runs = np.random.default_rng(patients), 800
    covered = 0
    for _ in range(runs):
        *known, new = (draw(rng, patient) for patient in range(patients + 1))
        covered += contains(volume_interval([known], [new.estimate]), new.reference_mm3)
    exact = math.ceil(0.9 * (patients + 1) - 1e-9) / (patients + 1)
    low, high = binom.interval(0.999, runs, exact)
    assert low <= covered <= high


def test_the_coverage_holds_if_patients_have_several_cases():
    rng, runs, patients = np.random.default_rng(5), 1500, 12
    covered = 0
    for _ in range(runs):
        shift = rng.normal(0, 0.4, size=patients + 1)  # the cases of a patient have errors in common
        cases = [
            held_out(patient, factor=math.exp(shift[patient] + rng.normal(0, 0.1)))
            for patient in range(patients + 1)
            for _ in range(1 + patient % 3)
        ]
        order = rng.permutation(patients + 1)
        new = cases[next(index for index, case in enumerate(cases) if case.patient == order[0])]
        known = [case for case in cases if case.patient != new.patient]
        covered += contains(volume_interval([known], [new.estimate]), new.reference_mm3)
    assert covered >= binom.ppf(0.001, runs, 0.9)


def test_fewer_than_nine_patients_give_no_interval():
    cases = [held_out(patient, factor=1.1) for patient in range(9)]
    assert volume_interval([cases], [cases[0].estimate]) is not None
    assert volume_interval([cases[:8]], [cases[0].estimate]) is None
    assert volume_interval([[held_out(patient % 8) for patient in range(40)]], [cases[0].estimate]) is None
    assert volume_interval([[]], [cases[0].estimate]) is None


def test_with_nine_patients_the_largest_error_is_the_width():
    cases = [held_out(patient, factor=1 + patient / 10) for patient in range(9)]
    low, high = volume_interval([cases], [Estimate(20_000.0, quality())])
    assert (low + OFFSET_MM3, high + OFFSET_MM3) == pytest.approx((21_000 / 1.8, 21_000 * 1.8))


def test_a_mask_of_which_the_network_is_less_certain_gets_a_wider_interval():
    cases = [held_out(patient, factor=1.2) for patient in range(12)]
    widths = [
        high - low
        for soft_dice in (0.99, 0.9, 0.5, 0.0)
        for low, high in [volume_interval([cases], [Estimate(20_000.0, quality(soft_dice))])]
    ]
    assert widths == sorted(widths)
    assert widths[0] > 0


def test_models_that_disagree_get_a_wider_interval():
    cases = [held_out(patient, factor=1.2) for patient in range(24)]
    halves = [cases[:12], cases[12:]]
    agreeing = volume_interval(halves, [Estimate(20_000.0, quality())] * 2)
    low, high = volume_interval(halves, [Estimate(mm3, quality()) for mm3 in (10_000.0, 40_000.0)])
    assert low < agreeing[0]
    assert high > agreeing[1]


def test_volumes_of_zero_have_errors_and_intervals():
    empty = HeldOut(0, Estimate(0.0, MaskQuality(0.0, 30.0, 0.0)), 0.0, dice=1.0)
    assert volume_error(empty) == 0
    missed = HeldOut(0, Estimate(0.0, MaskQuality(0.0, 30.0, 0.0)), 500.0, dice=0.0)
    assert 0 < volume_error(missed) < math.inf
    low, high = volume_interval([[held_out(patient, factor=1.2) for patient in range(9)]], [empty.estimate])
    assert low == 0
    assert 0 < high < 1000


def test_the_scale_is_the_bound_of_the_error_if_the_soft_dice_is_the_true_dice():
    reference, mask, shared = 30_000.0, 20_000.0, 20_000.0
    dice = 2 * shared / (reference + mask)
    bound = abs(math.log((reference + OFFSET_MM3) / (mask + OFFSET_MM3)))
    assert volume_scale(MaskQuality(dice, reference, mask)) == pytest.approx(bound + 0.1)
