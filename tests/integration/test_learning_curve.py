"""The target `learning_curve`: its plan, its results, and what runs again after a change."""

import shutil
from collections import Counter

import pandas as pd
import pytest
from safetensors.torch import load_file

from tests.integration.workflow import TINY, Workflow
from tests.support.builders import TASK
from tumorseg.io.digests import sha256

pytestmark = pytest.mark.slow

SEEDS = [1, 2023]
"""The second is the default of `training.seed`."""
CURVE = {"cases": [0, 2, 4], "seeds": SEEDS}
START = {**TINY["training"], "start_from": "start.safetensors"}
REST = Counter(learning_curve_table=1, figure_dice_by_training_cases=1)
TARGET = "learning_curve"


def points(trainings: int, unchanged: int = 0) -> Counter[str]:
    """Return the jobs that follow from some trainings and from the start model as it is."""
    each = trainings + unchanged
    jobs = Counter(learning_curve_training=trainings, learning_curve_start_model=unchanged)
    return +(jobs + Counter(learning_curve_prediction=each, learning_curve_scores=each) + REST)


@pytest.fixture
def run(finished, tmp_path):
    """A run whose normal training is finished, with a model to start from."""
    run = finished.copy(tmp_path / "run")
    shutil.copy(run.results / "model/fold-0.safetensors", run.folder / "start.safetensors")
    run.configure({"training": START, "learning_curve": CURVE})
    return run


def test_the_plan_has_a_job_for_each_start_size_seed_and_fold(run):
    assert run.planned(TARGET) == points(2 * 2 * 2, 1) + Counter(learning_curve_subsets=1)
    run.configure({"learning_curve": {**CURVE, "cases": [2]}})
    assert run.planned(TARGET) == points(2) + Counter(learning_curve_subsets=1)


def test_folds_multiply_the_trainings(tmp_path):
    run = Workflow(tmp_path / "run")
    run.configure({"cohort": {**TINY["cohort"], "folds": 2}, "learning_curve": {**CURVE, "cases": [1, 2]}})
    planned = run.planned(TARGET)
    names = ("training", "prediction", "scores")
    assert [planned[f"learning_curve_{name}"] for name in names] == [8, 8, 4]


def test_too_large_subsets_are_refused_before_the_first_training(run):
    run.configure({"learning_curve": {**CURVE, "cases": [2, 5]}})
    completed = run.run(TARGET)
    assert completed.returncode != 0
    found = " ".join(completed.stdout.split())
    assert "learning_curve.cases: 5: too many, as fold 0 has only 4 training cases; use numbers up to 4" in found
    assert not list((run.results / TARGET).rglob("*.safetensors"))


def test_0_cases_without_a_start_model_are_refused(run):
    run.configure({"learning_curve": CURVE})
    completed = run.run("--dry-run", TARGET)
    assert completed.returncode != 0
    assert "learning_curve.cases: 0 is the start model as it is, but training.start_from is null" in completed.stdout


@pytest.mark.release
def test_the_curve_its_agreement_with_the_normal_training_and_its_reruns(run):
    normal = {
        path: sha256(path)
        for part in ("training", "model", "predictions", "evaluation", "figures")
        for path in (run.results / part).rglob("*")
        if path.is_file()
    }
    output = run.succeed(TARGET)
    folder = run.results / TARGET
    assert "9 of 9 models of the learning curve done, 0 left" in output
    assert "temporary output" not in output
    assert output.splitlines()[-2].startswith("Learning curve:")
    assert {path: sha256(path) for path in normal} == normal
    assert not list(folder.rglob("*.pt"))

    all_cases = folder / f"random/cases-4/seed-{SEEDS[1]}"
    assert (all_cases / "cases.csv").read_bytes() == (run.results / "evaluation/cases.csv").read_bytes()
    weights, expected = (load_file(path / "model/fold-0.safetensors") for path in (all_cases, run.results))
    assert all((weights[name] == tensor).all() for name, tensor in expected.items())

    subsets = pd.read_csv(folder / "subsets.tsv", sep="\t")
    assert subsets.groupby("seed")["number"].apply(list).tolist() == 2 * [[1, 2, 3, 4]]
    summary = pd.read_csv(folder / "summary.csv")
    shown = summary[["start", "training_cases"]].drop_duplicates().to_numpy().tolist()
    assert shown == [["random", 2], ["random", 4], ["model", 0], ["model", 2], ["model", 4]]
    assert len(summary) == len(shown) * len(TASK.structures)
    assert len(pd.read_csv(folder / "cases.csv")) == 9 * len(TASK.structures)  # one case is held out
    for suffix in ("png", "pdf"):
        assert (folder / f"dice_by_training_cases.{suffix}").is_file()
    assert_reruns(run)


def assert_reruns(run: Workflow) -> None:
    """Check the plans after changes of settings in the finished run."""

    def planned(**changes) -> Counter[str]:
        run.configure({"training": START, "learning_curve": CURVE, **changes})
        return run.planned(TARGET)

    subsets = Counter(learning_curve_subsets=1)
    assert planned() == Counter()
    assert planned(learning_curve={**CURVE, "seeds": [*SEEDS, 5]}) == points(4) + subsets
    assert planned(learning_curve={**CURVE, "seeds": SEEDS[:1]}) == REST + subsets
    assert planned(learning_curve={**CURVE, "cases": [0, 2, 3, 4]}) == points(4) + subsets
    assert planned(learning_curve={**CURVE, "epochs": 1}) == points(8)
    assert planned(training={**START, "learning_rate": 0.1}) == points(8)
    assert planned(training={**START, "seed": 3, "epochs_per_checkpoint": 2}) == Counter()
    without_training = points(8, 1) - Counter(learning_curve_training=8, learning_curve_start_model=1)
    assert planned(prediction={"fill_holes": True}) == without_training
    assert planned(prediction={"probabilities": True}) == Counter()
    assert planned(evaluation={"surface_tolerance_mm": 2}) == Counter(learning_curve_scores=9) + REST
    assert planned(figures={**TINY["figures"], "dpi": 70}) == Counter(figure_dice_by_training_cases=1)
    (run.folder / "other.safetensors").write_bytes((run.folder / "start.safetensors").read_bytes())
    assert planned(training={**START, "start_from": "other.safetensors"}) == Counter()
    trained = run.results / "learning_curve/random/cases-2/seed-1/model/fold-0.safetensors"
    (run.folder / "other.safetensors").write_bytes(trained.read_bytes())
    assert planned(training={**START, "start_from": "other.safetensors"}) == points(4, 1)
