import numpy as np
import pandas as pd
import pytest

from tumorseg.metrics.overlap import overlaps
from tumorseg.metrics.summary import never_predicted, rows, summarise


def table(pairs) -> pd.DataFrame:
    return pd.DataFrame(
        [
            row
            for number, (prediction, reference) in enumerate(pairs)
            for row in rows(f"case-{number}", 0, overlaps(prediction, reference))
        ]
    )


def filled(*labels: int) -> np.ndarray:
    return np.array(labels, np.uint8).reshape(-1, 1, 1)


PAIRS = [
    (filled(1, 2, 4, 0), filled(1, 2, 4, 4)),
    (filled(0, 2, 0, 0), filled(1, 2, 0, 0)),
    (filled(2, 2), filled(2, 2)),
]


def summary(pairs, **changes):
    return summarise(table(pairs), **{"confidence": 0.95, "bootstrap_samples": 500, "seed": 1} | changes)


def test_the_mean_is_over_all_cases_empty_ones_included():
    label_4 = summary(PAIRS)["structures"]["label_4"]
    assert label_4["scores"]["dice"]["mean"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert (label_4["scores"]["dice"]["n"], label_4["empty_reference"], label_4["both_empty"]) == (3, 2, 2)


def test_the_macro_mean_leaves_out_background():
    dice = [np.mean([1, 1, 2 / 3]), np.mean([0, 1, 1]), 1.0]
    assert summary(PAIRS)["macro"]["dice"]["mean"] == pytest.approx(np.mean(dice))


def test_the_interval_holds_the_mean_and_is_repeated_exactly():
    first, second = summary(PAIRS), summary(PAIRS)
    score = first["structures"]["WT"]["scores"]["dice"]
    assert score["low"] <= score["mean"] <= score["high"]
    assert first == second


def test_a_wider_confidence_gives_a_wider_interval():
    narrow, wide = (summary(PAIRS, confidence=c)["structures"]["WT"]["scores"]["dice"] for c in (0.5, 0.99))
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_a_label_that_no_prediction_has_is_named():
    assert never_predicted(table([(filled(0, 2, 2), filled(1, 2, 4)), (filled(4, 2, 2), filled(4, 2, 1))])) == [
        "label_1"
    ]


def test_the_order_of_the_rows_does_not_matter():
    shuffled = table(PAIRS).sample(frac=1, random_state=3)
    assert summarise(shuffled, confidence=0.95, bootstrap_samples=500, seed=1) == summary(PAIRS)
