from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tumorseg.metrics import lesion_scores
from tumorseg.reporting.report.false_components import FalseComponents, describe_false_components, false_components
from tumorseg.task import load_task

TASK = load_task("brats-meningioma-radiotherapy")  # a single region, GTV
MM = (1.0, 1.0, 1.0)


def row(case, reference, prediction, region="GTV"):
    """Return the row of a case in the table of scores, measured from two masks."""
    scores = lesion_scores(reference, prediction, MM)
    return {
        "case": case,
        "region": region,
        "lesionwise_dice": scores.dice,
        "lesions_found": scores.found,
        "lesions_missed": scores.missed,
        "lesions_false": scores.false,
        "reference_mm3": reference.sum(),
        "reference_voxels": reference.sum(),
        "predicted_mm3": prediction.sum(),
        "true_positives": (reference & prediction).sum(),
    }


def masks(false):
    """Return a lesion of 512 voxels, and the same with some false components of 8 voxels."""
    reference = np.zeros((60, 20, 20), bool)
    reference[2:10, 2:10, 2:10] = True
    prediction = reference.copy()
    for number in range(false):
        prediction[20 + 4 * number : 22 + 4 * number, :2, :2] = True
    return reference, prediction


def table(*false):
    return pd.DataFrame([row(str(number), *masks(count)) for number, count in enumerate(false)])


def test_the_score_without_false_components_is_that_of_masks_without_them():
    (found,) = false_components(table(0, 3, 1), TASK)
    assert found == FalseComponents("GTV", 4, 2, pytest.approx((1 + 1 / 4 + 1 / 2) / 3), pytest.approx(1), 8)


def test_one_false_component_in_ten_cases_is_the_smallest_loss_that_is_reported():
    assert len(false_components(table(1, *[0] * 9), TASK)) == 1
    assert false_components(table(1, *[0] * 10), TASK) == []


def test_cases_without_lesions_are_left_out():
    reference, prediction = masks(2)
    assert false_components(pd.DataFrame([row("a", np.zeros_like(reference), prediction)]), TASK) == []


def test_the_setting_is_named_if_the_components_are_small():
    found = FalseComponents("GTV", 4, 2, 0.5, 0.9, 120)
    loss, advice = describe_false_components(found, {"remove_components": {}})
    assert loss == (
        "GTV: 4 predicted components in 2 cases touch no lesion. Without them, the mean lesion-wise Dice would be "
        "0.900 instead of 0.500."
    )
    assert "prediction.remove_components" in advice
    assert "{GTV: 200}" in advice
    _, other = describe_false_components(replace(found, largest_mean_mm3=1500), {"remove_components": {}})
    assert "prediction" not in other
    assert "do not say whether they are small" in other
