import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from tumorseg.metrics.comparison import compare, comparison_table
from tumorseg.metrics.records_2026 import METRICS_2026
from tumorseg.metrics.registry import definitions
from tumorseg.task import load_task

TASK = load_task()
CASES = [f"case-{number}" for number in range(8)]


def table(**columns) -> pd.DataFrame:
    """Scores of the cases, the same for each structure: 0.5 except for the given columns."""
    values = {**dict.fromkeys(definitions(), [0.5] * len(CASES)), **columns}
    return pd.concat([pd.DataFrame({"case": CASES, "region": name, **values}) for name in TASK.structures])


def comparison(*tables, **options):
    named = dict(zip("abc", tables, strict=False))
    return compare(named, task=TASK, confidence=0.95, bootstrap_samples=200, seed=1, **options)


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
        "p_holm": 1.0,
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


def test_differences_can_be_taken_from_another_table():
    found = comparison(table(dice=DOWN), table(dice=UP), table(), baseline="b")
    differences = found["structures"]["ET"]["dice"]["differences"]
    assert {name: numbers["difference"] for name, numbers in differences.items()} == pytest.approx(
        {"a": -0.4, "c": -0.2}
    )
    assert found["baseline"] == "b"


def test_p_values_of_the_main_scores_of_all_regions_are_corrected_together():
    found = comparison(table(dice=DOWN), table(dice=UP), table())
    structures, tests = found["structures"], found["tests"]
    assert tests["scores"] == ["dice", "hd95", "lesionwise_dice", "lesionwise_hd95"]
    assert tests["number"] == 2 * 3 * 4
    smallest = structures["WT"]["dice"]["differences"]["b"]
    assert smallest["p"] == wilcoxon(UP, DOWN).pvalue
    assert smallest["p_holm"] == pytest.approx(24 * smallest["p"])
    assert structures["WT"]["iou"]["differences"]["b"]["p_holm"] is None
    assert structures["label_4"]["dice"]["differences"]["b"]["p_holm"] is None


def test_scores_of_2026_count_an_empty_mask_as_the_best_value_if_another_folder_has_a_value():
    columns = {metric.name: [0.5] * 8 for metric in METRICS_2026}
    first = table(**{**columns, "lesion_f1_2026": [np.nan, np.nan, *[0.5] * 6]})
    other = table(**{**columns, "lesion_f1_2026": [np.nan, 0.0, *[0.75] * 6]})
    result = comparison(first, other, scores=METRICS_2026)["structures"]["ET"]["lesion_f1_2026"]
    numbers = result["differences"]["b"]
    assert result["cases"] == 7
    assert numbers["difference"] == pytest.approx((6 * 0.25 - 1) / 7)
    assert (numbers["better"], numbers["worse"]) == (6, 1)


def test_scores_of_lesions_of_a_size_compare_only_cases_whose_reference_has_such_lesions():
    columns = {metric.name: 0.5 for metric in METRICS_2026}
    without = [np.nan] * 4 + [0.5] * 4
    missed = [0.0] * 4 + [0.5] * 4  # no mask in the first cases, so the worst value
    tables = [table(**{**columns, "small_f1_2026": values}) for values in (without, missed)]
    found = comparison(*tables, scores=METRICS_2026)["structures"]["ET"]["small_f1_2026"]
    assert found["means"] == {"a": 0.5, "b": 0.5}
    assert found["differences"]["b"]["worse"] == 0


def test_a_score_without_any_value_has_no_difference():
    columns = {metric.name: [np.nan] * 8 for metric in METRICS_2026}
    result = comparison(table(**columns), table(**columns), scores=METRICS_2026)
    numbers = result["structures"]["ET"]["small_f1_2026"]["differences"]["b"]
    assert (numbers["difference"], numbers["p"], result["tests"]["number"]) == (None, 1, 0)
