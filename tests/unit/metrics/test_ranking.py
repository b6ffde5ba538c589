import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from tumorseg.metrics.ranking import case_ranks, mean_kendall_tau, order_of, rank_folders
from tumorseg.metrics.records_2026 import METRICS_2026
from tumorseg.metrics.registry import metrics
from tumorseg.task import load_task

TASK = load_task()
CASES = [f"case-{number}" for number in range(10)]
SETTINGS = {"confidence": 0.9, "bootstrap_samples": 300, "seed": 1}
CRITERIA = metrics("ranking")


def table(dice, hd95) -> pd.DataFrame:
    """Lesion-wise scores of the cases, the same for each structure."""
    values = {"lesionwise_dice": dice, "lesionwise_hd95": hd95}
    return pd.concat([pd.DataFrame({"case": CASES, "region": name, **values}) for name in TASK.structures])


def ranked(**tables):
    return rank_folders(tables, CRITERIA, task=TASK, **SETTINGS)


def test_the_scores_of_2023_are_the_criteria():
    assert [metric.name for metric in CRITERIA] == ["lesionwise_dice", "lesionwise_hd95"]


def test_a_folder_that_is_better_in_every_case_is_first_in_every_sample():
    found = ranked(worse=table(0.5, 9.0), better=table(0.9, 2.0), middle=table(0.7, 5.0))
    assert {name: numbers["rank"] for name, numbers in found["folders"].items()} == {
        "worse": 3,
        "better": 1,
        "middle": 2,
    }
    assert found["folders"]["better"] == {"rank": 1, "mean_rank": 1, "low": 1, "high": 1, "rank_shares": [1, 0, 0]}
    assert found["kendall_tau"] == 1
    assert (found["cases"], found["regions"]) == (10, ["WT", "TC", "ET"])


def test_equal_folders_share_the_first_rank_and_have_no_order():
    found = ranked(a=table(0.5, 9.0), b=table(0.5, 9.0))
    assert [numbers["rank"] for numbers in found["folders"].values()] == [1, 1]
    assert [numbers["mean_rank"] for numbers in found["folders"].values()] == [1.5, 1.5]
    assert found["kendall_tau"] is None


def test_an_unstable_order_has_the_shares_of_a_binomial_distribution():
    """b wins 6 of 10 cases: it loses in a sample that has more of the other 4 cases."""
    wins = np.where(np.arange(10) < 6, 0.9, 0.1)
    found = rank_folders(
        {"a": table(0.5, 5.0), "b": table(wins, 5.0)},
        CRITERIA,
        task=TASK,
        confidence=0.9,
        bootstrap_samples=20_000,
        seed=1,
    )
    won = np.random.default_rng(0).binomial(10, 0.6, 200_000)
    b = found["folders"]["b"]
    assert b["rank"] == 1
    assert b["rank_shares"][0] == pytest.approx(np.mean(won >= 5), abs=0.01)  # a tie shares the first rank
    assert (b["low"], b["high"]) == (1, 2)


def test_ranks_equal_those_of_a_loop_over_cases_and_criteria():
    errors = np.random.default_rng(1).integers(0, 4, (6, 5, 4)).astype(float)
    expected = np.zeros((6, 4))
    for case, criterion, folder in np.ndindex(errors.shape):
        row = errors[case, criterion]
        lower, equal = np.sum(row < row[folder]), np.sum(row == row[folder])
        expected[case, folder] += (lower + (equal + 1) / 2) / 5
    assert case_ranks(errors) == pytest.approx(expected)


def test_a_criterion_that_does_not_count_is_left_out():
    errors = np.array([[[1.0, 2.0], [np.nan, np.nan]], [[2.0, 1.0], [2.0, 1.0]]])
    assert case_ranks(errors).tolist() == [[1, 2], [2, 1]]


def test_equal_mean_ranks_share_the_smaller_number_despite_rounding():
    assert order_of(np.array([0.1 + 0.2, 0.3, 0.2, 0.4])).tolist() == [2, 2, 1, 4]


def test_kendalls_tau_equals_that_of_scipy():
    rng = np.random.default_rng(2)
    order, resampled = rng.integers(1, 5, 6), rng.integers(1, 5, (50, 6))
    expected = [kendalltau(order, sample).statistic for sample in resampled]
    assert mean_kendall_tau(order, resampled) == pytest.approx(np.mean(expected))


def test_a_sample_in_which_all_share_a_rank_counts_as_0():
    assert mean_kendall_tau(np.array([1, 2, 3]), np.array([[1, 2, 3], [1, 1, 1]])) == 0.5


def test_scores_of_2026_rank_an_empty_mask_before_a_false_lesion():
    criteria = [metric for metric in METRICS_2026 if "ranking" in metric.places]
    empty = {metric.name: np.nan for metric in criteria}  # no value: both masks are empty
    false = {metric.name: float(metric.worst) for metric in criteria}
    tables = {
        name: pd.concat([pd.DataFrame({"case": CASES, "region": region, **values}) for region in TASK.structures])
        for name, values in (("false", false), ("empty", empty))
    }
    found = rank_folders(tables, criteria, task=TASK, **SETTINGS)
    assert {name: numbers["rank"] for name, numbers in found["folders"].items()} == {"false": 2, "empty": 1}
    nothing = rank_folders({"a": tables["empty"], "b": tables["empty"]}, criteria, task=TASK, **SETTINGS)
    assert (nothing["cases"], nothing["folders"]) == (0, {})
