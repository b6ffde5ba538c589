import math

import numpy as np
import pytest
from hypothesis import given

from tests.support.builders import hypothesis_settings, structure_mask
from tests.support.random_masks import labelled_pair, seeds, spacings
from tumorseg.metrics.lesions_2026 import lesion_scores_2026
from tumorseg.metrics.records_2026 import COUNTS_2026, METRICS_2026, columns_2026
from tumorseg.metrics.registry import columns
from tumorseg.metrics.structure_scores_2026 import case_scores_2026, missing_scores_2026
from tumorseg.task import load_task

TASK = load_task()
MILLIMETRE = (1.0, 1.0, 1.0)
SHARES = [metric.name for metric in METRICS_2026 if metric.best == 1]


def filled(*labels: int):
    mask = np.zeros((20, 10, 10), np.uint8)
    for number, label in enumerate(labels):
        mask[2 + 4 * number : 6 + 4 * number, 2:6, 2:6] = label
    return mask


@hypothesis_settings(30)
@given(seed=seeds, spacing_mm=spacings)
def test_scores_are_those_of_each_structure(seed, spacing_mm):
    reference, prediction = labelled_pair(seed)
    for structure, found in case_scores_2026(reference, prediction, spacing_mm, task=TASK).items():
        expected = lesion_scores_2026(
            *(structure_mask(mask, structure) for mask in (reference, prediction)), spacing_mm
        )
        lesions, whole = expected.lesions, expected.whole
        names = ("lesions_found", "lesions_missed", "lesions_false", "lesion_f1", "lesion_dice", "global_nsd")
        values = [lesions.found, lesions.missed, lesions.false, lesions.f1, expected.pairs.dice, whole.nsd]
        assert [found[f"{name}_2026"] for name in names] == pytest.approx(values, nan_ok=True)
        assert math.isnan(found["small_f1_2026"]) == (expected.small_lesions is None)


@hypothesis_settings(30)
@given(seed=seeds)
def test_every_score_is_in_its_range_or_has_no_value(seed):
    for found in case_scores_2026(*labelled_pair(seed), MILLIMETRE, task=TASK).values():
        assert tuple(found) == columns_2026()
        assert all(0 <= found[name] <= 1 or math.isnan(found[name]) for name in SHARES)


def test_a_structure_without_any_voxel_has_no_value():
    found = case_scores_2026(filled(2), filled(2), MILLIMETRE, task=TASK)
    assert found["WT"]["lesion_f1_2026"] == found["WT"]["large_dice_2026"] == 1
    assert all(math.isnan(found["ET"][metric.name]) for metric in METRICS_2026)
    assert found["ET"]["lesions_missed_2026"] == 0


@pytest.mark.parametrize("reference", [filled(1, 2, 4), filled(2), filled()])
def test_a_missing_prediction_gets_the_worst_scores_in_every_structure(reference):
    for found in missing_scores_2026(reference, MILLIMETRE, task=TASK).values():
        assert tuple(found) == columns_2026()
        assert {found[name] for name in SHARES} == {0}
        assert {found[metric.name] for metric in METRICS_2026 if metric.name not in SHARES} == {373}


def test_a_missing_prediction_misses_every_lesion():
    found = missing_scores_2026(filled(1, 2, 4), MILLIMETRE, task=TASK)["WT"]
    assert [found[f"lesions_{kind}_2026"] for kind in ("found", "missed", "false")] == [0, 1, 0]


def test_every_name_ends_in_the_year_and_is_in_no_other_table():
    assert all(name.endswith("_2026") for name in columns_2026())
    assert not set(columns_2026()) & set(columns())
    assert len(columns_2026()) == len(METRICS_2026) + len(COUNTS_2026) == 23


def test_invalid_labels_are_refused():
    with pytest.raises(ValueError, match="the value 3, which is not a label of the task"):
        case_scores_2026(filled(3), filled(4), MILLIMETRE, task=TASK)
