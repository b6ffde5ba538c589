"""The target `score`: masks against references, without a cohort or a training."""

import json
import os
import re
from collections import Counter

import pandas as pd
import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import AFFINE, SHAPE, mask, write_valid_case
from tumorseg.io.nifti import write_nifti

pytestmark = pytest.mark.slow

CASES = [f"BraTS-GLI-0000{number}-000" for number in (1, 2)]


class ScoreWorkflow(Workflow):
    """A workflow in a folder of references and predictions."""

    def configure_score(self, predictions, references="the references", baseline=None):
        """Configure the target `score`. The cohort folder does not exist."""
        section = {"predictions": predictions, "references": references, "baseline": baseline}
        self.configure({"demo": None, "cohort": {"root": "data"}, "score": section})

    def predict(self, folder: str, case: str, enhancing: int = 3, shape=SHAPE):
        path = self.folder / folder / f"{case}_pred.nii.gz"
        write_nifti(path, mask(enhancing, shape), AFFINE)
        return path

    def table(self, folder: str = "") -> pd.DataFrame:
        """Return the scores by case and region."""
        return pd.read_csv(self.results / "scores" / folder / "cases.csv", index_col=["case", "region"])

    def summary(self, folder: str = "") -> dict:
        return json.loads((self.results / "scores" / folder / "summary.json").read_text())

    def refused(self, *targets: str) -> str:
        """Return the output of a run that is refused before any job starts."""
        completed = self.run(*targets)
        assert completed.returncode != 0
        assert "Traceback" not in completed.stdout
        assert not self.results.exists()
        return completed.stdout


@pytest.fixture
def workflow(tmp_path):
    workflow = ScoreWorkflow(tmp_path / "it's a run")
    for seed, case in enumerate(CASES):
        write_valid_case(workflow.folder / "the references", case, seed=seed)
        for folder in ("first 'net'", "second"):
            workflow.predict(folder, case)
    workflow.configure_score("first 'net'")
    return workflow


def test_masks_are_scored_without_a_cohort_and_only_again_after_a_change(workflow):
    output = workflow.succeed("score")
    assert f"score: Scores: {workflow.results / 'scores/summary.json'}" in output
    assert (workflow.table()["dice"] == 1).all()
    for path in workflow.folder.glob("*/*.nii.gz"):
        path.touch()
    assert "Nothing to be done" in workflow.succeed("score")
    changed = workflow.predict("first 'net'", CASES[0], shape=(10, 11, 13))
    os.utime(changed, (0, 0))  # an older date, as after a move
    assert workflow.planned("score") == Counter(score=1)
    workflow.predict("first 'net'", CASES[0])
    workflow.predict("first 'net'", "BraTS-GLI-00003-000")
    workflow.succeed("score")
    assert workflow.summary()["without_reference"] == ["BraTS-GLI-00003-000_pred.nii.gz"]


def test_missing_and_unusable_predictions_count_as_missed(workflow):
    workflow.predict("first 'net'", CASES[0]).unlink()
    workflow.predict("first 'net'", CASES[1], shape=(10, 11, 13))
    output = workflow.succeed("score")
    summary = workflow.summary()
    assert (summary["missing"], [found["case"] for found in summary["unusable"]]) == (CASES[:1], CASES[1:])
    assert "the mask is 10x11x13, its reference 10x11x12" in output
    assert (workflow.table()["dice"] == 0).all()


def test_two_folders_are_compared(workflow):
    workflow.predict("second", CASES[0]).unlink()
    workflow.configure_score(["first 'net'", "second"])
    output = workflow.succeed("score")
    assert "Page of the scores" in output
    assert "difference from the baseline first 'net' in Dice" in output
    assert "Differences from first &#39;net&#39;" in (workflow.results / "scores/scores.html").read_text()
    assert {path.name for path in (workflow.results / "scores").glob("table.*")} == {"table.csv", "table.tex"}
    assert (workflow.table("first 'net'")["dice"] == 1).all()
    assert workflow.summary("second")["missing"] == CASES[:1]
    comparison = json.loads((workflow.results / "scores/comparison.json").read_text())
    assert comparison["structures"]["ET"]["dice"]["means"] == {"first 'net'": 1.0, "second": 0.5}
    assert (workflow.results / "scores/comparison.csv").is_file()
    assert not (workflow.results / "scores/cases.csv").exists()
    assert "Nothing to be done" in workflow.succeed("score")
    workflow.configure_score(["first 'net'", "second"], baseline="first")
    assert "score.baseline: no folder of predictions has the name first; the names are" in workflow.run("score").stdout
    workflow.configure_score(["first 'net'", "second"], baseline="second")
    assert workflow.planned("score") == Counter(score=1)


def test_folders_can_be_set_on_the_command_line(workflow):
    workflow.configure_score(None, None)
    given = "score={predictions: [second, first 'net'], references: the references}"
    listed = workflow.run("score", options=("--summary", "--config", given)).stdout
    planned = re.findall(r"^results/scores/([^\t]+)", listed, re.MULTILINE)
    assert {"second/cases.csv", "first 'net'/cases.csv"} <= set(planned)


@pytest.mark.parametrize(
    ("predictions", "references", "sentence"),
    [
        (None, "the references", "score.predictions: no folder is given; add --config predictions=DIR ref"),
        ("second", None, "score.references: no folder is given; add --config predictions=DIR references"),
        ("nowhere", "the references", "score.predictions: cannot list nowhere (No such file or directory); it should"),
        (["second", "others"], "the references", "no mask below others (cases 7) has its reference below score.refer"),
        ("second", ".", "score.references: first 'net'/BraTS-GLI-00001-000_pred.nii.gz and second/BraTS-GLI-00001-00"),
    ],
)
def test_mistakes_are_reported_before_any_job_starts(workflow, predictions, references, sentence):
    workflow.predict("others", "7").rename(workflow.folder / "others/7.nii.gz")
    workflow.configure_score(predictions, references)
    assert sentence in workflow.refused("score")


def test_a_fifo_is_refused_and_a_huge_file_is_not_read(workflow):
    huge = workflow.predict("first 'net'", CASES[0])
    with huge.open("r+b") as opened:
        opened.truncate(2**37)
    pipe = workflow.folder / "first 'net'" / "BraTS-GLI-00009-000.nii.gz"
    os.mkfifo(pipe)
    assert f"{pipe.name}: this is a FIFO (named pipe), not a regular file; put" in workflow.refused("score")
    pipe.unlink()
    workflow.succeed("score")
    assert [found["case"] for found in workflow.summary()["unusable"]] == CASES[:1]


def test_mistakes_in_the_section_score_do_not_affect_other_targets(tmp_path):
    workflow = ScoreWorkflow(tmp_path / "run")
    workflow.configure({"score": {"predictions": "nowhere", "references": None}})
    assert workflow.planned("validate")["manifest"] == 1
    assert "score.references: no folder is given" in workflow.refused("validate", "score")


def test_predictions_of_a_run_have_the_scores_of_its_evaluation(finished, tmp_path):
    run = ScoreWorkflow(finished.copy(tmp_path / "run").folder)
    run.configure({"score": {"predictions": "results/predictions/fold-0", "references": "cohort"}})
    assert run.planned("score") == Counter(score=1)  # the rule predict is not planned
    splits = pd.read_csv(run.results / "cohort/splits.tsv", sep="\t")
    evaluated = pd.read_csv(run.results / "evaluation/cases.csv", index_col=["case", "region"])
    run.succeed("score")
    scored = run.table()
    pd.testing.assert_frame_equal(
        scored.loc[evaluated.index].drop(columns="fold"), evaluated.drop(columns=["fold", "channels"])
    )
    assert set(run.summary()["missing"]) >= set(splits.loc[splits["fold"] != 0, "case"])
    assert run.planned() == Counter()
