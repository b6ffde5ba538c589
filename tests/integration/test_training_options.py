"""Runs with other settings than the defaults, up to the report."""

import json

import pandas as pd
import pytest

from tests.integration.workflow import Workflow, copy_repository, edit
from tumorseg.io.digests import sha256

pytestmark = pytest.mark.release


def test_cross_validation_scores_every_case_once_with_the_best_saved_checkpoint(tmp_path):
    workflow = Workflow(tmp_path / "run")
    workflow.configure(
        {
            "cohort": {"folds": 2},
            "training": {"epochs": 3, "epochs_per_checkpoint": 2, "steps_per_epoch": 1},
            "checkpoint": {"select": "best"},
        }
    )
    workflow.succeed()
    splits = pd.read_csv(workflow.results / "cohort/splits.tsv", sep="\t")
    scores = pd.read_csv(workflow.results / "evaluation/cases.csv")
    assert sorted(scores["case"].unique()) == sorted(splits["case"])
    assert scores.groupby("case")["fold"].nunique().max() == 1
    for fold in (0, 1):
        folder = workflow.results / f"training/fold-{fold}"
        assert sorted(path.name for path in folder.glob("*.pt")) == ["epoch-0002.pt", "epoch-0003.pt"]
        history = pd.read_csv(folder / "history.csv")
        assert history["epoch"].tolist() == [1, 2, 3]
        saved = history[history["epoch"] > 1].set_index("epoch")["validation_dice"]
        assert json.loads((folder / "selection.json").read_text())["epoch"] == saved.idxmax()
    assert "Nothing to be done" in workflow.succeed()


def test_a_run_with_all_training_options_and_tensorboard_added_later(tmp_path):
    workflow = Workflow(tmp_path / "run")
    settings = {
        "normalisation": {"spacing_mm": 8},
        "model": {"norm": "instance", "down_sampling": "stride", "deep_supervision": True},
        "training": {
            "epochs": 1,
            "foreground_fraction": 0.33,
            "synthetic_fraction": 0.5,
            "synthetic_cases": 26,
            "augmentation": ["flip", "affine", "gamma", "brightness", "contrast", "noise"],
            "schedule": "polynomial",
            "gradient_clip": 12,
            "ema_decay": 0.9,
            "gradient_checkpointing": True,
            "deterministic": True,
        },
    }
    workflow.configure(settings)
    workflow.succeed()
    assert len(list((workflow.results / "synthetic").glob("*/*.safetensors"))) == 26
    assert len(json.loads((workflow.results / "training/fold-0/data.json").read_text())["synthetic"]) == 26
    settings["training"]["tensorboard"] = True
    workflow.configure(settings)
    assert set(workflow.planned()) <= {"report", "provenance"}  # these show all settings
    settings["training"]["epochs"] = 2
    workflow.configure(settings)
    workflow.succeed("train")
    assert len(list((workflow.results / "logs/tensorboard/fold-0").glob("events.out.tfevents.*"))) == 1


def test_simulated_cases_are_the_same_again_and_their_code_decides_the_training(tmp_path):
    run = Workflow(tmp_path / "run", copy_repository(tmp_path / "a checkout"))
    run.configure(
        {
            "normalisation": {"spacing_mm": 8},
            "training": {"epochs": 2, "synthetic_fraction": 0.5, "synthetic_cases": None},
        }
    )
    run.succeed("train")
    assert not (run.results / "synthetic").exists()
    data = json.loads((run.results / "training/fold-0/data.json").read_text())
    assert (data["simulated"]["settings"]["spacing_mm"], "synthetic" in data) == ([8, 8, 8], False)
    checkpoint = run.results / "training/fold-0/epoch-0002.pt"
    before = sha256(checkpoint)
    checkpoint.unlink()
    run.succeed("train")
    assert sha256(checkpoint) == before
    edit(run.repository / "scripts/tumorseg/synthetic/case.py", "_REACH_MM: Final = 14.0", "_REACH_MM: Final = 15.0")
    assert set(run.planned("train")) == {"training_data", "train_epoch"}
