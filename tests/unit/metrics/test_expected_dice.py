"""The Dice to expect of a mask, from held-out cases."""

import numpy as np
import pytest

from tumorseg.metrics.expected_dice import expected_dice, fit_dice
from tumorseg.metrics.held_out import Estimate, HeldOut
from tumorseg.metrics.mask_quality import MaskQuality


def estimate(soft_dice: float, mm3: float = 100.0) -> Estimate:
    return Estimate(mm3, MaskQuality(soft_dice, mm3, mm3))


def case(patient, soft_dice: float, dice: float, mm3: float = 100.0) -> HeldOut:
    return HeldOut(patient, estimate(soft_dice, mm3), 100.0, dice)


LINE = [case(patient, soft, 0.2 + 0.5 * soft) for patient, soft in enumerate(np.linspace(0.4, 0.9, 11).tolist())]


def test_a_line_is_found_again():
    line = fit_dice(LINE)
    assert (line.intercept, line.slope) == pytest.approx((0.2, 0.5))
    assert expected_dice(line, [estimate(0.6)]) == pytest.approx(0.5)


def test_the_line_is_level_beyond_the_held_out_cases():
    line = fit_dice(LINE)
    assert expected_dice(line, [estimate(0.1)]) == pytest.approx(0.4)
    assert expected_dice(line, [estimate(1.0)]) == pytest.approx(0.65)


@pytest.mark.parametrize("soft", [[0.7] * 11, np.linspace(0.9, 0.4, 11).tolist()], ids=["constant", "misleading"])
def test_a_soft_dice_that_tells_nothing_gives_the_mean(soft):
    cases = [case(patient, value, 0.2 + 0.05 * patient) for patient, value in enumerate(soft)]
    assert expected_dice(fit_dice(cases), [estimate(0.5)]) == pytest.approx(0.45)


def test_fewer_than_nine_patients_give_no_line():
    assert fit_dice(LINE[:9]) is not None
    assert fit_dice(LINE[:8]) is None
    assert fit_dice([case(patient % 8, 0.5, 0.5) for patient in range(30)]) is None
    assert expected_dice(None, [estimate(0.5)]) is None


def test_empty_masks_are_left_out_and_have_no_expected_dice():
    line = fit_dice([*LINE, case("empty", 0.0, 1.0, mm3=0.0)])
    assert line == fit_dice(LINE)
    assert expected_dice(line, [estimate(0.0, mm3=0.0)]) is None


def test_each_patient_has_the_same_weight():
    cases = [case(patient, 0.5, 0.5) for patient in range(9)] + [case("often", 0.5, 1.0)] * 9
    assert expected_dice(fit_dice(cases), [estimate(0.5)]) == pytest.approx(0.55)


def test_the_expected_dice_of_several_models_is_the_mean_of_theirs():
    line = fit_dice(LINE)
    assert expected_dice(line, [estimate(0.4), estimate(0.8)]) == pytest.approx(0.5)
