import math

import pandas as pd
import pytest

from tumorseg.metrics.records_2026 import METRICS_2026, columns_2026
from tumorseg.metrics.summary_2026 import summarise_2026
from tumorseg.task import load_task

TASK = load_task()
SETTINGS = {"confidence": 0.9, "bootstrap_samples": 50, "seed": 1}
NAN = math.nan


def summary(**values: list[float]) -> dict:
    """Return the summary of cases with these values in WT. All other numbers are 0."""
    count = len(next(iter(values.values())))
    rows = []
    for number in range(count):
        for structure in TASK.structures:
            row = {"case": f"case-{number}", "fold": 0, "region": structure, **dict.fromkeys(columns_2026(), 0.0)}
            if structure == "WT":
                row |= {name: column[number] for name, column in values.items()}
            rows.append(row)
    return summarise_2026(pd.DataFrame(rows), task=TASK, exchanged_edges=["case-1"], **SETTINGS)


def test_cases_without_a_value_are_left_out_and_counted():
    found = summary(lesion_dice_2026=[0.5, NAN, 0.7])["structures"]["WT"]["scores"]["lesion_dice_2026"]
    assert (found["n"], found["without_value"]) == (2, 1)
    assert found["mean"] == pytest.approx(0.6)
    assert found["mean_with_best"] == pytest.approx((0.5 + 1 + 0.7) / 3)
    assert 0.5 <= found["low"] <= found["high"] <= 0.7


def test_the_best_hd95_is_0():
    found = summary(lesion_hd95_2026=[6, NAN])["structures"]["WT"]["scores"]["lesion_hd95_2026"]
    assert (found["mean"], found["mean_with_best"]) == (6, 3)


def test_a_score_without_any_value_has_no_mean():
    found = summary(small_f1_2026=[NAN, NAN])["structures"]["WT"]["scores"]["small_f1_2026"]
    assert (found["n"], found["mean"], found["low"], found["without_value"]) == (0, None, None, 2)
    assert found["mean_with_best"] == 1


def test_counts_are_summed_over_the_cases_that_have_them():
    found = summary(lesions_found_2026=[2, 3, 0], small_found_2026=[1, NAN, NAN])["structures"]["WT"]
    assert (found["lesions_found_2026"], found["small_found_2026"]) == (5, 1)
    assert "lesion_dice_std_2026" not in found


def test_every_number_is_defined():
    found = summary(lesion_dice_2026=[0.5])
    assert set(found["definitions"]) == {metric.name for metric in METRICS_2026}
    assert set(found["structures"]["ET"]["scores"]) == set(found["definitions"])
    counts = set(found["structures"]["ET"]) - {"name", "labels", "scores"}
    assert counts < set(found["count_definitions"])
    assert found["exchanged_edges"] == ["case-1"]
    assert found["challenge"] == "BraTS 2025 and 2026"
