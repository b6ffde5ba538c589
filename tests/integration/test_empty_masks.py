"""Patients without tumour, from raw files to the report. One of them is held out."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import AFFINE, SHAPE, path_of, write_valid_case
from tumorseg.io.nifti import write_nifti

CASES = [f"BraTS-GLI-0000{number}-000" for number in range(6)]
TRAINED_EMPTY, HELD_OUT_EMPTY, HELD_OUT = CASES[0], CASES[4], CASES[5]

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """A finished run that keeps empty masks, samples patches around the tumour, and has all optional parts."""
    workflow = Workflow(tmp_path_factory.mktemp("empty") / "run")
    for seed, case in enumerate(CASES):
        write_valid_case(workflow.folder / "cohort", case, seed=seed)
    for case in (TRAINED_EMPTY, HELD_OUT_EMPTY):
        write_nifti(path_of(workflow.folder / "cohort", "seg", case), np.zeros(SHAPE, np.uint8), AFFINE)
    folds = [f"{case}\t{0 if case in (HELD_OUT_EMPTY, HELD_OUT) else -1}" for case in CASES]
    (workflow.folder / "folds.tsv").write_text("\n".join(["case\tfold", *folds]) + "\n")
    workflow.configure(
        {
            "demo": None,
            "cohort": {"split_file": "folds.tsv", "empty_masks": "keep"},
            "training": {"foreground_fraction": 1.0, "epochs": 2},
            "evaluation": {"calibration": True, "leave_out_modalities": True},
            "figures": {"cases": 2},
            "report": {"viewer_cases": 2},
        }
    )
    workflow.succeed()
    return workflow


def test_cases_with_empty_masks_are_usable_with_a_warning(workflow):
    manifest = pd.read_csv(workflow.results / "cohort/manifest.tsv", sep="\t", index_col="case")
    assert manifest["usable"].all()
    assert manifest.loc[[TRAINED_EMPTY, HELD_OUT_EMPTY], "warnings"].tolist() == ["empty_mask", "empty_mask"]
    assert manifest["warnings"].notna().sum() == 2


def test_the_scores_of_an_empty_reference_follow_their_definition(workflow):
    scores = pd.read_csv(workflow.results / "evaluation/cases.csv")
    scores_of_empty = scores[scores["case"] == HELD_OUT_EMPTY].set_index("region")
    assert (scores_of_empty["reference_voxels"] == 0).all()
    predicted_empty = scores_of_empty["predicted_voxels"] == 0
    assert (scores_of_empty["dice"] == np.where(predicted_empty, 1, 0)).all()
    assert (scores_of_empty["hd95"] == np.where(predicted_empty, 0, 374)).all()
    summary = json.loads((workflow.results / "evaluation/summary.json").read_text())
    assert summary["structures"]["WT"]["empty_reference"] == 1


def test_losses_and_scores_of_the_training_are_finite(workflow):
    history = pd.read_csv(workflow.results / "training/fold-0/history.csv")
    assert np.isfinite(history[["train_loss", "validation_loss", "validation_dice"]]).all(axis=None)


def test_the_report_and_the_cohort_page_show_the_case(workflow):
    assert HELD_OUT_EMPTY in (workflow.results / "report.html").read_text(encoding="utf-8")
    page = (workflow.results / "cohort/cohort.html").read_text(encoding="utf-8")
    assert "The mask marks no tumour, and the configuration keeps empty masks." in page


def test_empty_masks_are_dropped_without_the_setting(workflow, tmp_path):
    again = workflow.copy(tmp_path / "again")
    again.configure({"demo": None, "cohort": {"empty_masks": "drop"}})
    again.succeed("validate")
    manifest = pd.read_csv(again.results / "cohort/manifest.tsv", sep="\t", index_col="case")
    assert manifest.index[~manifest["usable"]].tolist() == [TRAINED_EMPTY, HELD_OUT_EMPTY]
    assert set(manifest.loc[~manifest["usable"], "problems"]) == {"mask_mismatch"}
