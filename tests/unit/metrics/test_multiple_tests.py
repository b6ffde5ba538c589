import numpy as np
import pytest

from tumorseg.metrics.multiple_tests import holm


def test_corrected_values_equal_those_by_hand():
    # In order: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1; the last one is raised to the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_no_value_is_above_1_and_equal_values_stay_equal():
    assert holm([0.6, 0.6, 0.001]) == pytest.approx([1, 1, 0.003])


def test_a_single_test_is_not_changed_and_none_are_none():
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_rejections_are_those_of_the_stepwise_procedure():
    values = np.random.default_rng(1).uniform(0, 0.05, 12) ** 2
    rejected, remaining = set(), len(values)
    for index in np.argsort(values):
        if values[index] > 0.05 / remaining:
            break
        rejected.add(index)
        remaining -= 1
    assert {index for index, value in enumerate(holm(values)) if value <= 0.05} == rejected
    assert len(rejected) > 0
