"""Post-processing chosen by cross-validation."""

import re
from collections import Counter

import pandas as pd
import pytest
import yaml

from tests.integration.workflow import TINY, Workflow
from tests.support.builders import TASK

pytestmark = pytest.mark.release

FOLDS = {"cohort": {**TINY["cohort"], "folds": 2}}
NAMES = ("candidates.csv", "gains.csv", "choice.yaml")


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """A run of the target with two folds. Do not change it."""
    run = Workflow(tmp_path_factory.mktemp("postprocessing") / "run")
    run.configure(FOLDS)
    (run.folder / "output.txt").write_text(run.succeed("postprocessing"))
    return run


def results(run: Workflow) -> list[bytes]:
    return [(run.results / "postprocessing" / name).read_bytes() for name in NAMES]


def test_the_gains_and_the_choice_are_written_and_printed(chosen):
    gains = pd.read_csv(chosen.results / "postprocessing/gains.csv")
    assert gains["region"].tolist() == ["mean", *TASK.structures] * 2
    splits = pd.read_csv(chosen.results / "cohort/splits.tsv", sep="\t")
    assert set(gains["cases"]) == {len(splits)}
    output = (chosen.folder / "output.txt").read_text()
    assert len(re.findall(r"chosen on all folds but [01], for its cases: ", output)) == 2
    assert output.strip().endswith(str(chosen.results / "postprocessing/choice.yaml"))


def test_the_chosen_settings_can_be_used_as_they_are_and_change_no_gain(chosen, tmp_path):
    """The predictions are compared before post-processing, whatever is set."""
    run = chosen.copy(tmp_path / "run")
    choice = yaml.safe_load((run.results / "postprocessing/choice.yaml").read_text())
    run.configure({**FOLDS, **choice, "prediction": {**choice["prediction"], "fill_holes": True}})
    assert run.planned("postprocessing") == Counter(predict_unprocessed=2, postprocessing=1)
    run.succeed("postprocessing")
    assert results(run) == results(chosen)
    assert run.planned("postprocessing") == Counter()


def test_other_candidates_rerun_only_the_target(chosen, tmp_path):
    run = chosen.copy(tmp_path / "run")
    run.configure({**FOLDS, "postprocessing": {"fill_holes": False}})
    assert run.planned("postprocessing") == Counter(postprocessing=1)


def test_a_deleted_prediction_is_made_again(chosen, tmp_path):
    run = chosen.copy(tmp_path / "run")
    next((run.results / "predictions/fold-1").glob("*.nii.gz")).unlink()
    assert run.planned("postprocessing") == Counter(predict=1, postprocessing=1)


def test_one_fold_is_refused(tmp_path):
    run = Workflow(tmp_path / "run")
    run.configure()
    output = run.run("postprocessing", options=("--dry-run",)).stdout
    assert output.strip().endswith("but there is only 1; set it to 3 or 5, which trains a model for each fold")
