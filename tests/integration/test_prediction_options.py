"""Settings of prediction and evaluation: their results, and what they rerun."""

import json
from collections import Counter

import nibabel
import numpy as np
import pandas as pd
import pytest

from tests.integration.workflow import FIGURE_RULES, TINY, Workflow
from tests.support.builders import TASK

pytestmark = pytest.mark.release

PREDICTION = {
    "mode": "window",
    "window": [16, 16, 16],
    "test_time_mirroring": True,
    "probabilities": True,
    "fill_holes": True,
}
EVALUATION = {**TINY["evaluation"], "calibration": True, "leave_out_modalities": True, "challenge_2026": True}


@pytest.fixture(scope="module")
def with_all_options(finished, tmp_path_factory):
    """A finished run with all of these settings. Do not change it."""
    run = finished.copy(tmp_path_factory.mktemp("options") / "run")
    run.configure({"prediction": PREDICTION, "evaluation": EVALUATION})
    run.succeed()
    return run


@pytest.fixture(scope="module")
def resampled(tmp_path_factory):
    """A finished run whose network has another voxel size than the cases. Do not change it."""
    run = Workflow(tmp_path_factory.mktemp("resampled") / "run")
    run.configure(
        {
            "normalisation": {"spacing_mm": [9, 7, 5]},
            "prediction": {"probabilities": True},
            "evaluation": EVALUATION,
        }
    )
    run.succeed()
    return run


def test_the_record_has_the_settings_and_changes_of_each_mask(with_all_options):
    record = json.loads((with_all_options.results / "predictions/fold-0.json").read_text())
    assert record["settings"]["test_time_mirroring"]
    masks = {
        path.name.removesuffix(".nii.gz")
        for path in (with_all_options.results / "predictions/fold-0").glob("*-00?.nii.gz")
    }
    assert record["cases"].keys() == masks
    assert all(entry["windowed"] and "filled" in entry["changed"] for entry in record["cases"].values())


def test_each_mask_has_probabilities(with_all_options):
    folder = with_all_options.results / "predictions/fold-0"
    assert len(list(folder.glob("*-probabilities.nii.gz"))) == len(list(folder.glob("*.nii.gz"))) / 2 >= 1


def test_calibration_and_the_scores_with_fewer_modalities_are_in_the_report(with_all_options):
    curves = json.loads((with_all_options.results / "evaluation/calibration.json").read_text())["curves"]
    assert curves.keys() == {"WT", "TC", "ET", "label"}
    subsets = pd.read_csv(with_all_options.results / "evaluation/channel_subsets_cases.csv")
    assert len(subsets) == subsets["case"].nunique() * len(TASK.channel_subsets) * len(TASK.structures)
    summary = pd.read_csv(with_all_options.results / "evaluation/channel_subsets.csv")
    assert summary["trained"].tolist() == [True, *[False] * 14]
    page = (with_all_options.results / "report.html").read_text()
    assert page.count("<figure ") == 18


def test_the_scores_of_2026_are_of_the_same_cases_and_masks(with_all_options):
    folder = with_all_options.results / "evaluation"
    scores, scores_2026 = (pd.read_csv(folder / name) for name in ("cases.csv", "cases_2026.csv"))
    keys = ["case", "fold", "region"]
    assert scores_2026[keys].equals(scores[keys])
    both = (scores["reference_voxels"] > 0) & (scores["predicted_voxels"] > 0)
    np.testing.assert_allclose(scores_2026["global_dice_2026"][both], scores["dice"][both], rtol=1e-12)
    assert (
        scores_2026["lesion_f1_2026"].isna().sum()
        == (scores[["reference_voxels", "predicted_voxels"]].sum(axis=1) == 0).sum()
    )
    assert json.loads((folder / "summary_2026.json").read_text())["challenge"] == "BraTS 2025 and 2026"


@pytest.mark.parametrize("run", ["with_all_options", "resampled"])
def test_the_scores_with_all_modalities_equal_the_evaluation(run, request):
    results = request.getfixturevalue(run).results
    scores = pd.read_csv(results / "evaluation/cases.csv").set_index(["case", "region"])["dice"]
    subsets = pd.read_csv(results / "evaluation/channel_subsets_cases.csv").query("channels == 't1,t1ce,t2,flair'")
    pd.testing.assert_series_equal(subsets.set_index(["case", "region"])["dice"].sort_index(), scores.sort_index())


def test_a_resampled_run_has_masks_probabilities_and_the_viewer_on_the_original_grid(resampled):
    for path in (resampled.results / "predictions/fold-0").glob("*-00?.nii.gz"):
        case = path.name.removesuffix(".nii.gz")
        raw = nibabel.load(resampled.folder / f"cohort/{case}/{case}-t1n.nii.gz")
        for written in (path, path.with_name(f"{case}-probabilities.nii.gz")):
            image = nibabel.load(written)
            assert image.shape[:3] == raw.shape
            np.testing.assert_array_equal(image.affine, raw.affine)
    viewer = json.loads((resampled.results / "figures/viewer.json").read_text())
    assert {tuple(case["spacing"]) for case in viewer["cases"]} == {(6, 6, 6)}


def test_the_model_of_a_resampled_run_segments_the_held_out_cases_as_the_run_did(resampled, tmp_path):
    run = resampled.copy(tmp_path / "run")
    run.configure({"normalisation": {"spacing_mm": [9, 7, 5]}, "segment": {"cases": "cohort"}})
    run.succeed("segment")
    for path in (run.results / "predictions/fold-0").glob("*-00?.nii.gz"):
        segmented = nibabel.load(run.results / "segmentations" / path.name)
        np.testing.assert_array_equal(np.asarray(segmented.dataobj), np.asarray(nibabel.load(path).dataobj))


def test_a_prediction_setting_reruns_the_prediction_without_training(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"prediction": {"test_time_mirroring": True}})
    planned = run.planned()
    rerun = {
        "predict",
        "evaluate",
        "reliability",
        "model_card",
        "case_strips",
        "viewer_cases",
        "report",
        "provenance",
        *FIGURE_RULES,
    } - {"figure_learning_curves"}
    assert planned == Counter(rerun)


def test_optional_evaluations_add_only_their_jobs_and_the_report(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"evaluation": EVALUATION})
    assert run.planned() == Counter(
        [
            *("calibration", "leave_out_modalities", "challenge_2026"),
            *("figure_calibration", "figure_channel_subsets", "report", "provenance"),
        ]
    )


def test_settings_of_single_targets_rerun_nothing(finished, tmp_path):
    run: Workflow = finished.copy(tmp_path / "run")
    sections = {"postprocessing": {"fill_holes": False}, "segment": {"cases": "somewhere"}}
    run.configure({**sections, "score": {"predictions": "a", "references": "b"}})
    assert run.planned() == Counter()
