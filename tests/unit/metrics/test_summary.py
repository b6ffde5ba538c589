import numpy as np
import pandas as pd
import pytest

from tests.support.random_masks import labelled_pair
from tumorseg.metrics.overlap import confusion
from tumorseg.metrics.registry import definitions
from tumorseg.metrics.structure_scores import case_scores, missing_scores, score_rows
from tumorseg.metrics.summary import never_predicted, summarise
from tumorseg.task import load_task

TASK = load_task()
SPACING = (1.0, 1.0, 1.0)
SETTINGS = {"task": TASK, "confidence": 0.95, "bootstrap_samples": 500, "surface_tolerance_mm": 1, "seed": 1}


def score_pairs(pairs):
    """Score pairs of reference and prediction, where None is a missing prediction."""
    found = [
        missing_scores(reference, SPACING, task=TASK)
        if prediction is None
        else case_scores(reference, prediction, SPACING, task=TASK, surface_tolerance_mm=1)
        for reference, prediction in pairs
    ]
    table = [row for number, (scores, _) in enumerate(found) for row in score_rows(f"case-{number}", 0, scores)]
    return pd.DataFrame(table), {f"case-{number}": confusion for number, (_, confusion) in enumerate(found)}


def summary(pairs, **changes):
    missing = [f"case-{number}" for number, (_, prediction) in enumerate(pairs) if prediction is None]
    return summarise(*score_pairs(pairs), missing=missing, **SETTINGS | changes)


def filled(*labels: int) -> np.ndarray:
    return np.array(labels, np.uint8).reshape(-1, 1, 1)


PAIRS = [
    (filled(1, 2, 4, 4), filled(1, 2, 4, 0)),
    (filled(1, 2, 0, 0), filled(0, 2, 0, 0)),
    (filled(2, 2), filled(2, 2)),
]
RANDOM = [labelled_pair(seed) for seed in range(6)]


def dice(reference, prediction, *labels: int) -> float:
    predicted, expected = np.isin(prediction, labels), np.isin(reference, labels)
    total = predicted.sum() + expected.sum()
    return 2 * (predicted & expected).sum() / total if total else 1.0


def test_the_mean_includes_cases_with_empty_masks():
    label_4 = summary(PAIRS)["structures"]["label_4"]
    assert label_4["scores"]["dice"]["mean"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert (label_4["scores"]["dice"]["n"], label_4["empty_reference"], label_4["both_empty"]) == (3, 2, 2)


def test_every_structure_has_the_mean_of_every_score():
    table, _ = score_pairs(RANDOM)
    structures = summary(RANDOM)["structures"]
    assert list(structures) == list(TASK.structures)
    for name, structure in structures.items():
        part = table[table["region"] == name]
        assert {score: structure["scores"][score]["mean"] for score in definitions()} == pytest.approx(
            part[list(definitions())].mean().to_dict()
        )


def test_structures_have_their_names_and_labels():
    structures = summary(PAIRS)["structures"]
    assert (structures["TC"]["name"], structures["TC"]["labels"]) == ("tumour core", [1, 4])
    assert structures["label_2"]["name"] == "oedema"


def test_lesions_are_summed_over_the_cases():
    table, _ = score_pairs(RANDOM)
    whole_tumour = table[table["region"] == "WT"]
    for kind in ("lesions_found", "lesions_missed", "lesions_false"):
        assert summary(RANDOM)["structures"]["WT"][kind] == whole_tumour[kind].sum()


def test_the_macro_mean_leaves_out_background():
    expected = [np.mean([1, 1, 2 / 3]), np.mean([0, 1, 1]), 1.0]
    assert summary(PAIRS)["macro"]["dice"]["mean"] == pytest.approx(np.mean(expected))


def test_the_second_macro_mean_includes_background():
    expected = [np.mean([dice(*pair, label) for label in (0, 1, 2, 4)]) for pair in RANDOM]
    assert summary(RANDOM)["macro_with_background"]["dice"]["mean"] == pytest.approx(np.mean(expected))


def test_background_raises_the_macro_mean():
    found = summary(RANDOM)
    for score in ("dice", "iou", "f1"):
        assert found["macro_with_background"][score]["mean"] > found["macro"][score]["mean"]


def test_every_number_is_defined():
    found = summary(PAIRS)
    for structure in found["structures"].values():
        assert set(structure["scores"]) == set(found["definitions"])
    for macro in ("macro", "macro_with_background"):
        assert set(found[macro]) == {"dice", "iou", "f1"}
        assert all("background" in score["definition"] for score in found[macro].values())
    assert "500 times" in found["interval"]
    assert (found["confidence"], found["surface_tolerance_mm"], found["cases"]) == (0.95, 1, 3)
    assert found["confusion"]["definition"]


def test_the_confusion_matrix_is_the_sum_over_cases_by_reference_label():
    voxels = summary(RANDOM)["confusion"]["voxels"]
    expected = sum(confusion(*pair, TASK.classes) for pair in RANDOM)
    assert list(voxels) == ["0", "1", "2", "4"]
    assert voxels == {
        str(reference): {str(predicted): expected[reference, predicted] for predicted in (0, 1, 2, 4)}
        for reference in (0, 1, 2, 4)
    }
    assert summary([(filled(4, 0), filled(1, 0))])["confusion"]["voxels"]["4"]["1"] == 1


def test_a_missing_prediction_counts_as_the_worst_in_every_mean():
    found = summary([*PAIRS, (filled(1, 2, 0), None)])
    before = summary(PAIRS)["structures"]["label_4"]["scores"]
    label_4 = found["structures"]["label_4"]["scores"]  # absent from that reference
    assert label_4["dice"]["n"] == 4
    assert label_4["dice"]["mean"] == pytest.approx(before["dice"]["mean"] * 3 / 4)
    assert label_4["specificity"]["mean"] == pytest.approx(before["specificity"]["mean"] * 3 / 4)
    assert label_4["hd95"]["mean"] == pytest.approx((before["hd95"]["mean"] * 3 + 374) / 4)


@pytest.mark.parametrize("macro", ["macro", "macro_with_background"])
@pytest.mark.parametrize("reference", [filled(1, 2, 0), filled(0, 0, 0)])
def test_a_missing_prediction_has_a_macro_mean_of_0(macro, reference):
    found, before = summary([*PAIRS, (reference, None)]), summary(PAIRS)
    assert found[macro]["dice"]["mean"] == pytest.approx(before[macro]["dice"]["mean"] * 3 / 4)


def test_the_interval_contains_the_mean_and_is_reproducible():
    first, second = summary(PAIRS), summary(PAIRS)
    score = first["structures"]["WT"]["scores"]["dice"]
    assert score["low"] <= score["mean"] <= score["high"]
    assert first == second


def test_a_wider_confidence_gives_a_wider_interval():
    narrow, wide = (summary(PAIRS, confidence=c)["structures"]["WT"]["scores"]["dice"] for c in (0.5, 0.99))
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_a_label_that_no_prediction_has_is_named():
    table, _ = score_pairs([(filled(1, 2, 4), filled(0, 2, 2)), (filled(4, 2, 1), filled(4, 2, 2))])
    assert never_predicted(table, TASK) == ["label_1"]


def test_the_order_of_the_rows_does_not_matter():
    table, confusions = score_pairs(PAIRS)
    assert summarise(table.sample(frac=1, random_state=3), confusions, **SETTINGS) == summary(PAIRS)


def test_a_missing_prediction_does_not_count_as_correctly_empty():
    label_1 = summary([(filled(0, 2), None), (filled(0, 2), filled(0, 2))])["structures"]["label_1"]
    assert (label_1["empty_reference"], label_1["both_empty"]) == (2, 1)


def test_background_is_label_0_if_a_label_is_outside_the_whole_tumour():
    task = load_task("brats-glioma-post-treatment")
    reference, prediction = filled(0, 0, 1, 4, 4), filled(0, 4, 1, 4, 0)
    scores, table = case_scores(reference, prediction, SPACING, task=task, surface_tolerance_mm=1)
    found = summarise(pd.DataFrame(score_rows("a", 0, scores)), {"a": table}, **SETTINGS | {"task": task})
    expected = [dice(reference, prediction, label) for label in (0, 1, 2, 3, 4)]
    assert found["macro_with_background"]["dice"]["mean"] == pytest.approx(np.mean(expected))
    definition = found["macro_with_background"]["dice"]["definition"]
    assert "background and the labels 1, 2, 3 and 4 of a case; then" in definition
    assert "0.87" not in definition


def test_a_task_of_one_label_has_its_macro_mean():
    task = load_task("brats-meningioma-radiotherapy")
    scores, table = case_scores(filled(0, 1), filled(1, 1), SPACING, task=task, surface_tolerance_mm=1)
    found = summarise(pd.DataFrame(score_rows("a", 0, scores)), {"a": table}, **SETTINGS | {"task": task})
    assert list(found["structures"]) == ["GTV", "label_1"]
    assert found["macro"]["dice"]["mean"] == pytest.approx(2 / 3)
    assert "the label 1 of a case" in found["macro"]["dice"]["definition"]
    assert found["confusion"]["voxels"] == {"0": {"0": 0, "1": 1}, "1": {"0": 0, "1": 1}}
