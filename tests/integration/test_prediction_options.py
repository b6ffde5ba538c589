"""Settings of prediction and evaluation: what they leave behind, and what they rerun."""

import json
from collections import Counter

import pandas as pd
import pytest

from tests.integration.workflow import FIGURE_RULES, TINY, Workflow
from tests.support.builders import TASK

PREDICTION = {
    "mode": "window",
    "window": [16, 16, 16],
    "test_time_mirroring": True,
    "probabilities": True,
    "fill_holes": True,
}
EVALUATION = {**TINY["evaluation"], "calibration": True, "leave_out_modalities": True}


@pytest.fixture(scope="module")
def examined(finished, tmp_path_factory):
    """A finished run with all of it. Read it only."""
    run = finished.copy(tmp_path_factory.mktemp("examined") / "run")
    run.configure({"prediction": PREDICTION, "evaluation": EVALUATION})
    run.succeed()
    return run


def test_how_each_mask_came_about_is_on_record(examined):
    record = json.loads((examined.results / "predictions/fold-0.json").read_text())
    assert record["settings"]["test_time_mirroring"]
    masks = {
        path.name.removesuffix(".nii.gz") for path in (examined.results / "predictions/fold-0").glob("*-00?.nii.gz")
    }
    assert record["cases"].keys() == masks
    assert all(of_case["windowed"] and "filled" in of_case["changed"] for of_case in record["cases"].values())


def test_probabilities_lie_beside_each_mask(examined):
    folder = examined.results / "predictions/fold-0"
    assert len(list(folder.glob("*-probabilities.nii.gz"))) == len(list(folder.glob("*.nii.gz"))) / 2 >= 1


def test_calibration_and_modalities_left_out_reach_the_report(examined):
    curves = json.loads((examined.results / "evaluation/calibration.json").read_text())["curves"]
    assert curves.keys() == {"WT", "TC", "ET", "label"}
    left_out = pd.read_csv(examined.results / "evaluation/modalities_left_out.csv")
    cases = left_out["case"].nunique()
    assert len(left_out) == cases * (1 + len(TASK.channels)) * len(TASK.structures)
    page = (examined.results / "report.html").read_text()
    assert page.count("<figure ") == 13


def test_nothing_left_out_scores_as_the_evaluation_does(examined):
    scores = pd.read_csv(examined.results / "evaluation/cases.csv").set_index(["case", "region"])["dice"]
    left_out = pd.read_csv(examined.results / "evaluation/modalities_left_out.csv").query("left_out == 'none'")
    pd.testing.assert_series_equal(left_out.set_index(["case", "region"])["dice"].sort_index(), scores.sort_index())


def test_a_setting_of_prediction_predicts_again_and_trains_nothing(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"prediction": {"test_time_mirroring": True}})
    planned = run.planned()
    again = {
        "predict",
        "evaluate",
        "model_card",
        "case_strips",
        "viewer_cases",
        "report",
        "provenance",
        *FIGURE_RULES,
    } - {"figure_learning_curves"}
    assert planned == Counter(again)


def test_a_closer_look_adds_its_own_jobs_and_the_report(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"evaluation": EVALUATION})
    assert run.planned() == Counter(
        ["calibration", "leave_out_modalities", "figure_calibration", "figure_left_out", "report", "provenance"]
    )


def test_what_is_segmented_or_scored_beside_it_makes_no_new_report(finished, tmp_path):
    run: Workflow = finished.copy(tmp_path / "run")
    run.configure({"segment": {"cases": "somewhere"}, "score": {"predictions": "a", "references": "b"}})
    assert run.planned() == Counter()
