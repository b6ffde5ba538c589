import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from tumorseg.metrics.comparison import compare, comparison_table
from tumorseg.metrics.registry import definitions
from tumorseg.task import load_task

TASK = load_task()
CASES = [f"case-{number}" for number in range(8)]


def table(**columns) -> pd.DataFrame:
    """Scores of the cases, the same for each structure: 0.5 except for the given columns."""
    values = {**dict.fromkeys(definitions(), [0.5] * len(CASES)), **columns}
    return pd.concat([pd.DataFrame({"case": CASES, "region": name, **values}) for name in TASK.structures])


def comparison(*tables):
    named = dict(zip("abc", tables, strict=False))
    return compare(named, task=TASK, confidence=0.95, bootstrap_samples=200, seed=1)


def difference(score: str, first, other):
    found = comparison(table(**{score: first}), table(**{score: other}))
    return found["structures"]["ET"][score]["differences"]["b"]


UP, DOWN = np.linspace(0.5, 0.9, 8), np.linspace(0.5, 0.1, 8)


def test_means_of_all_tables_are_listed():
    found = comparison(table(dice=UP), table(dice=DOWN), table())
    means = found["structures"]["WT"]["dice"]["means"]
    assert means == pytest.approx({"a": 0.7, "b": 0.3, "c": 0.5})
    assert list(found["structures"]["WT"]["dice"]["differences"]) == ["b", "c"]


def test_the_difference_from_the_first_has_an_interval():
    found = difference("dice", DOWN, UP)
    assert found["difference"] == pytest.approx(0.4)
    assert found["low"] < found["difference"] < found["high"]


@pytest.mark.parametrize(
    ("score", "counts"),
    [("dice", (7, 1, 0)), ("specificity", (7, 1, 0)), ("hd95", (0, 1, 7)), ("lesionwise_hd95", (0, 1, 7))],
)
def test_higher_is_better_except_for_distances(score, counts):
    found = difference(score, DOWN, UP)
    assert (found["better"], found["equal"], found["worse"]) == counts


def test_a_volume_error_is_better_nearer_to_0_on_either_side():
    found = difference("volume_error_mm3", [-5.0, -5, 5, 5, 5, 5, 5, 5], [1.0, -1, -9, 9, -5, 5, 0, 0])
    assert (found["better"], found["equal"], found["worse"]) == (4, 2, 2)
    assert found["difference"] == pytest.approx((-4 - 4 + 4 + 4 - 5 - 5) / 8)


def test_p_is_from_wilcoxon_and_1_if_all_cases_are_equal():
    assert difference("dice", DOWN, UP)["p"] == wilcoxon(UP, DOWN).pvalue < 0.05
    assert difference("dice", UP, UP) == {
        **dict.fromkeys(("difference", "low", "high", "better", "worse"), 0),
        "equal": 8,
        "p": 1.0,
    }


def test_cases_are_paired_by_name_whatever_their_order():
    shuffled = table(dice=UP).sample(frac=1, random_state=1)
    assert comparison(table(dice=DOWN), shuffled) == comparison(table(dice=DOWN), table(dice=UP))


def test_the_table_has_a_row_for_each_score_of_each_structure():
    rows = comparison_table(comparison(table(dice=DOWN), table(dice=UP)))
    assert rows[["region", "score"]].apply(tuple, axis=1).tolist() == [
        (structure, score) for structure in TASK.structures for score in definitions()
    ]
    assert rows.loc[0, ["mean a", "mean b", "difference b"]].tolist() == pytest.approx([0.3, 0.7, 0.4])
    assert {f"{column} b" for column in ("low", "high", "better", "equal", "worse", "p")} <= set(rows.columns)
