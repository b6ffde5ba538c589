"""The whole workflow on a tiny demo cohort: the results of every stage."""

import json

import nibabel
import numpy as np
import pandas as pd
import pytest

from tests.integration.workflow import Workflow
from tumorseg.cli.console import job_record_path
from tumorseg.plotting.figure_list import FIGURES

STRUCTURES = ["WT", "TC", "ET", "label_1", "label_2", "label_4"]


@pytest.fixture(scope="module")
def manifest(finished):
    return pd.read_csv(finished.results / "cohort/manifest.tsv", sep="\t", index_col="case")


@pytest.fixture(scope="module")
def held_out(finished):
    splits = pd.read_csv(finished.results / "cohort/splits.tsv", sep="\t")
    return splits.loc[splits["fold"] == 0, "case"].tolist()


def test_each_corrupted_case_is_dropped_with_its_problem(manifest):
    dropped = manifest[~manifest["usable"]]
    assert dropped["problems"].tolist() == ["truncated", "missing_modality", "mask_mismatch"]
    assert dropped["detail"].str.len().min() > 20


def test_only_usable_cases_are_normalised(finished, manifest):
    normalised = {path.stem for path in finished.results.glob("normalised/*/*.safetensors")}
    assert normalised == set(manifest.index[manifest["usable"]])


def test_no_patient_is_in_both_training_and_validation(finished):
    splits = pd.read_csv(finished.results / "cohort/splits.tsv", sep="\t")
    assert set(splits["fold"]) == {0, -1}
    assert splits.groupby("patient")["fold"].nunique().max() == 1


def test_each_epoch_has_a_checkpoint_a_record_and_a_verification(finished):
    folder = finished.results / "training/fold-0"
    for epoch in (1, 2, 3):
        record = json.loads((folder / f"epoch-{epoch:04d}.json").read_text())
        result = json.loads((folder / f"epoch-{epoch:04d}.verification.json").read_text())
        assert result["ok"]
        assert result["digest"] == record["digest"]


def test_the_last_epoch_is_selected_and_exported(finished):
    selection = json.loads((finished.results / "training/fold-0/selection.json").read_text())
    assert (selection["epoch"], selection["refused"]) == (3, [])
    assert (finished.results / "model/fold-0.safetensors").is_file()


def test_the_history_has_a_row_for_each_epoch(finished):
    history = pd.read_csv(finished.results / "training/fold-0/history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert (
        history[["train_loss", "validation_loss", "validation_dice", "learning_rate", "seconds"]].notna().all(axis=None)
    )


def test_predictions_have_the_grid_of_the_input(finished, held_out):
    for case in held_out:
        prediction = nibabel.load(finished.results / f"predictions/fold-0/{case}.nii.gz")
        reference = nibabel.load(finished.folder / f"cohort/{case}/{case}-seg.nii.gz")
        assert prediction.shape == reference.shape
        np.testing.assert_array_equal(prediction.affine, reference.affine)
        assert prediction.get_data_dtype() == np.uint8
        assert set(np.unique(prediction.dataobj)) <= {0, 1, 2, 3}  # enhancing tumour as 3, as in the input


def test_the_scores_match_the_masks_on_disk(finished, held_out):
    scores = pd.read_csv(finished.results / "evaluation/cases.csv")
    assert sorted(scores["case"].unique()) == sorted(held_out)
    for case in held_out:
        assert scores.loc[scores["case"] == case, "region"].tolist() == STRUCTURES
        prediction = np.asarray(nibabel.load(finished.results / f"predictions/fold-0/{case}.nii.gz").dataobj) > 0
        reference = np.asarray(nibabel.load(finished.folder / f"cohort/{case}/{case}-seg.nii.gz").dataobj) > 0
        dice = 2 * (prediction & reference).sum() / (prediction.sum() + reference.sum())
        row = scores[(scores["case"] == case) & (scores["region"] == "WT")].iloc[0]
        assert row["dice"] == pytest.approx(dice)
        assert row["iou"] == pytest.approx(dice / (2 - dice))


def test_the_summary_has_the_means_and_definitions(finished):
    scores = pd.read_csv(finished.results / "evaluation/cases.csv")
    summary = json.loads((finished.results / "evaluation/summary.json").read_text())
    mean = scores.loc[scores["region"] == "label_2", "dice"].mean()
    assert summary["structures"]["label_2"]["scores"]["dice"]["mean"] == pytest.approx(mean)
    assert {"dice", "iou", "f1"} <= summary["definitions"].keys()


def test_the_dice_of_the_selected_epoch_equals_that_of_the_evaluation(finished):
    history = pd.read_csv(finished.results / "training/fold-0/history.csv").iloc[-1]
    summary = json.loads((finished.results / "evaluation/summary.json").read_text())
    means = {name: part["scores"]["dice"]["mean"] for name, part in summary["structures"].items()}
    assert {name: history[f"dice_{name}"] for name in means} == pytest.approx(means, abs=1e-9)
    assert history["validation_dice"] == pytest.approx(summary["macro"]["dice"]["mean"], abs=1e-9)


def test_every_figure_exists_in_both_formats(finished):
    names = {path.stem for path in finished.results.glob("figures/*.png")}
    assert names == {figure.stem for figure in FIGURES if figure.enabled_by is None}
    assert {path.stem for path in finished.results.glob("figures/*.pdf")} == names


def test_the_report_is_one_page_with_the_dropped_cases(finished, manifest):
    page = (finished.results / "report.html").read_text()
    assert all(case in page for case in manifest.index[~manifest["usable"]])
    assert page.count("<figure ") == 16


def test_the_terminal_shows_progress_and_the_path_of_the_report(finished):
    output = (finished.folder / "output.txt").read_text()
    assert "3 dropped" in output
    assert "epoch 3: step 3/3, loss" in output
    assert f"Report: {finished.results.resolve() / 'report.html'}" in output


def test_every_job_has_a_log_with_its_time_and_memory(finished):
    logs = list(finished.results.glob("logs/**/*.log"))
    assert len(logs) >= 20
    assert all("peak memory" in log.read_text().splitlines()[-1] for log in logs)
    assert all(job_record_path(log).is_file() for log in logs)
    assert list(finished.results.glob("benchmarks/**/*.tsv"))


def test_a_target_plans_no_later_stage(tmp_path):
    workflow = Workflow(tmp_path / "run")
    workflow.configure()
    checked = {"demo_cohort", "validate_batch", "manifest", "cohort_page", "check_cohort"}
    assert workflow.planned("validate").keys() == checked
    assert "train_epoch" not in workflow.planned("normalise")
    assert "verify_checkpoint" not in workflow.planned("train")
    assert "predict" not in workflow.planned("verify")
    assert "figure_overlays" not in workflow.planned("evaluate")
    assert "report" not in workflow.planned("figures")


def test_every_fold_is_trained_and_predicted(tmp_path):
    workflow = Workflow(tmp_path / "run")
    workflow.configure({"cohort": {"folds": 3}})
    planned = workflow.planned()
    assert (planned["train_epoch"], planned["select_checkpoint"], planned["predict"]) == (9, 3, 3)
