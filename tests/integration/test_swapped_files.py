"""Files that are swapped between folds, cases and splits are refused by name, with a remedy."""

import json
import shutil

import pytest

from tests.integration.workflow import TINY, Workflow

FOLDS = {"cohort": {**TINY["cohort"], "folds": 2}, "training": {**TINY["training"], "epochs": 1}}
CHECKPOINT = "training/fold-{}/epoch-0001.pt"
pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def two_folds(tmp_path_factory):
    """A run of two folds up to the scores. Do not change it; change a copy."""
    workflow = Workflow(tmp_path_factory.mktemp("two folds") / "run")
    workflow.configure(FOLDS)
    workflow.succeed("evaluate")
    return workflow


@pytest.fixture
def run(two_folds, tmp_path):
    return two_folds.copy(tmp_path / "run")


def refused(run, target="evaluate"):
    completed = run.run(target)
    assert completed.returncode != 0, completed.stdout[-4000:]
    return completed.stdout


def held_out(run, fold):
    return sorted(json.loads((run.results / f"predictions/fold-{fold}.json").read_text())["cases"])


def test_the_model_of_another_fold_is_refused(run, two_folds):
    model = run.results / "model/fold-1.safetensors"
    shutil.copy(run.results / "model/fold-0.safetensors", model)
    output = refused(run)
    assert "fold-1.safetensors: this is not the model that results/training/fold-1/selection.json names" in output
    assert "delete it and run again" in output
    model.unlink()
    run.succeed("verify")
    assert model.read_bytes() == (two_folds.results / "model/fold-1.safetensors").read_bytes()


def test_a_reference_in_the_place_of_a_prediction_is_not_scored(run, two_folds):
    case = held_out(run, 0)[0]
    shutil.copy(run.folder / f"cohort/{case}/{case}-seg.nii.gz", run.results / f"predictions/fold-0/{case}.nii.gz")
    (run.results / "evaluation/cases.csv").unlink()
    output = refused(run)
    assert f"results/predictions/fold-0/{case}.nii.gz: this mask was replaced or edited after the prediction" in output
    assert "delete results/predictions/fold-0 and run again" in output
    shutil.rmtree(run.results / "predictions/fold-0")
    run.succeed("evaluate")
    scores = "evaluation/cases.csv"
    assert (run.results / scores).read_bytes() == (two_folds.results / scores).read_bytes()


def test_a_normalised_file_of_another_case_is_refused(run):
    case, other = held_out(run, 0)[0], held_out(run, 1)[0]
    (target,) = run.results.glob(f"normalised/*/{case}.safetensors")
    (source,) = run.results.glob(f"normalised/*/{other}.safetensors")
    shutil.copy(source, target)
    shutil.rmtree(run.results / "predictions/fold-0")
    (run.results / "evaluation/cases.csv").unlink()
    assert f"{case}.safetensors: this file holds the case {other} instead of {case}; delete its folder" in refused(run)


def test_the_checkpoint_of_another_split_is_refused(run, two_folds):
    run.configure(FOLDS | {"cohort": {**FOLDS["cohort"], "seed": 5}})
    run.succeed("verify")
    for kind in (".pt", ".json"):
        name = CHECKPOINT.format(0).replace(".pt", kind)
        shutil.copy(two_folds.results / name, run.results / name)
    output = refused(run, "verify")
    assert "epoch-0001.pt was trained on another split: " in output
    assert "no checkpoint is valid" in output
    (run.results / CHECKPOINT.format(0)).unlink()
    run.succeed("verify")
