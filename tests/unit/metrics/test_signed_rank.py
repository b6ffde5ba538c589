from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata, wilcoxon

from tumorseg.metrics.signed_rank import MAX_EXACT, signed_rank_p


def enumerated_p(differences: np.ndarray) -> float:
    """The p value from all assignments of signs, one by one."""
    nonzero = differences[differences != 0]
    ranks = rankdata(np.abs(nonzero))
    sums = np.array([ranks @ signs for signs in product((0, 1), repeat=len(nonzero))])
    observed = ranks[nonzero > 0].sum()
    return min(1.0, 2 * min(np.mean(sums <= observed + 1e-9), np.mean(sums >= observed - 1e-9)))


@pytest.mark.parametrize("cases", [1, 2, 5, 8, 20, MAX_EXACT])
def test_without_ties_p_equals_that_of_scipy(cases):
    differences = np.random.default_rng(cases).normal(0.3, 1, cases)
    assert signed_rank_p(differences) == pytest.approx(wilcoxon(differences, method="exact").pvalue, rel=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_with_ties_and_zeros_p_equals_that_of_all_assignments_of_signs(seed):
    differences = np.random.default_rng(seed).integers(-3, 5, 9).astype(float)
    assert signed_rank_p(differences) == pytest.approx(enumerated_p(differences), rel=1e-12)


def test_with_ties_p_equals_the_permutation_test_of_scipy():
    differences = np.array([1.0, 1, -2, 3, 0, 3])
    assert signed_rank_p(differences) == pytest.approx(wilcoxon(differences).pvalue)


def test_many_cases_have_the_normal_approximation_of_scipy():
    differences = np.random.default_rng(1).integers(-4, 6, 200).astype(float)
    assert signed_rank_p(differences) == wilcoxon(differences, method="asymptotic").pvalue


def test_p_is_1_if_all_differences_are_0():
    assert signed_rank_p(np.zeros(7)) == 1
    assert signed_rank_p(np.zeros(0)) == 1


def test_p_does_not_depend_on_the_direction():
    differences = np.random.default_rng(3).normal(1, 1, 12)
    assert signed_rank_p(differences) == signed_rank_p(-differences)
