"""Runs that fine-tune a model."""

import json
import shutil
from collections import Counter

import pytest
import yaml

from tests.integration.workflow import Workflow
from tumorseg.io.digests import sha256
from tumorseg.networks.model_header import read_header

pytestmark = pytest.mark.release


@pytest.fixture
def run(finished, tmp_path):
    """A run that fine-tunes the model of a finished run."""
    run = finished.copy(tmp_path / "run")
    shutil.copy(run.results / "model/fold-0.safetensors", run.folder / "start.safetensors")
    run.configure({"training": {"start_from": "start.safetensors"}})
    return run


def test_a_fine_tuned_model_names_its_start_and_reruns_only_for_another_one(run):
    before = sha256(run.results / "model/fold-0.safetensors")
    run.succeed()
    start = run.folder / "start.safetensors"
    digest = sha256(start)
    assert digest == before != sha256(run.results / "model/fold-0.safetensors")
    assert read_header(run.results / "model/fold-0.safetensors").card["start_from"] == digest
    assert digest in (run.results / "model/README.md").read_text()
    assert json.loads((run.results / "provenance/run.json").read_text())["models"][0]["start_from"] == digest
    configuration = yaml.safe_load((run.results / "provenance/configuration.yaml").read_text())
    assert configuration["training"]["start_from"] == "start.safetensors"

    start.touch()
    assert run.planned() == Counter()
    start.rename(run.folder / "moved.safetensors")
    run.configure({"training": {"start_from": "moved.safetensors"}})
    assert run.planned() == Counter(report=1, provenance=1)  # these show the path

    shutil.copy(run.results / "model/fold-0.safetensors", run.folder / "moved.safetensors")
    planned = run.planned()
    assert {"train_epoch", "verify_checkpoint", "select_checkpoint"} <= planned.keys()
    assert not {"validate_batch", "normalise_batch", "split", "training_data"} & planned.keys()


def refusal(run: Workflow, *targets: str, **changes) -> str:
    run.configure(changes)
    completed = run.run("--dry-run", *targets)
    assert completed.returncode != 0
    return " ".join(completed.stdout.split())


def test_a_model_that_does_not_fit_is_refused_before_anything_runs(run):
    start = {"start_from": "start.safetensors"}
    found = refusal(run, training=start, model={"base_channels": 3})
    assert "start.safetensors: this model has another network than the configuration (model.base_channels 2" in found
    found = refusal(run, training=start, normalisation={"spacing_mm": 2, "margin_voxels": 1})
    assert "(normalisation.spacing_mm null instead of [2, 2, 2])" in found
    found = refusal(run, training={"start_from": "none.safetensors"})
    assert "training.start_from: none.safetensors: this model cannot be read" in found
    found = refusal(run, training={"start_from": "results/model/fold-0.safetensors"})
    assert "results/model/fold-0.safetensors is written by this run; copy it" in found


def test_a_model_that_was_trained_on_held_out_cases_is_refused(run):
    run.configure({"cohort": {"folds": 2}, "training": {"start_from": "start.safetensors"}})
    completed = run.run("train")
    assert completed.returncode != 0
    assert "start.safetensors was trained on" in " ".join(completed.stdout.split())
