"""Case names that look like missing values, numbers, formulas or syntax, from raw files to report and scores."""

import json

import pandas as pd
import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import write_valid_case
from tumorseg.io.tables import read_table
from tumorseg.metrics.structure_scores import TEXT_COLUMNS

pytestmark = pytest.mark.release

CASES = sorted(["NA", "nan", "null", "None", "007", "1e5", "True", "-3", "=1+1", "Müller 01", "case,2", "x'y"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = Workflow(tmp_path_factory.mktemp("names") / "a run")
    run.configure({"demo": None, "cohort": {"folds": 2}, "training": {"epochs": 1}, "figures": {"cases": 2}})
    for number, case in enumerate(CASES):
        write_valid_case(run.folder / "cohort", case, seed=number)
    run.succeed()
    return run


def test_every_case_is_scored_and_in_the_report(run):
    scores = read_table(run.results / "evaluation/cases.csv", text_columns=TEXT_COLUMNS)
    assert sorted(scores["case"].unique()) == CASES
    assert scores["dice"].notna().all()
    page = (run.results / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("NA", "1e5", "Müller 01", "case,2"))


def test_a_second_run_has_nothing_to_do(run):
    assert not run.planned()


def test_names_that_look_like_formulas_are_escaped_for_spreadsheets(run):
    for path in (run.results / "cohort/manifest.tsv", run.results / "cohort/splits.tsv"):
        names = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)["case"]
        assert {"-3", "'=1+1"} <= set(names)


def test_a_split_file_with_these_names_is_accepted(run, tmp_path):
    copied = run.copy(tmp_path / "run")
    splits = copied.results / "cohort/splits.tsv"
    (copied.folder / "own.tsv").write_bytes(splits.read_bytes())
    copied.configure({"demo": None, "cohort": {"folds": 2, "split_file": "own.tsv"}, "training": {"epochs": 1}})
    before = splits.read_bytes()
    copied.succeed("split")
    assert splits.read_bytes() == before


def test_cases_with_these_names_are_segmented_and_scored(run):
    cohort, masks = run.folder / "cohort", run.results / "segmentations"
    completed = run.run("segment", options=("--config", f"segment={{cases: '{cohort}'}}"))
    assert completed.returncode == 0, completed.stdout[-4000:]
    volumes = read_table(
        masks / "volumes.tsv",
        text_columns=("case", "segmented", "channels", "problems", "detail", "warnings", "warning_messages"),
    )
    assert sorted(volumes["case"]) == CASES
    assert set(volumes["segmented"]) == {"true"}
    completed = run.run("score", options=("--config", f"score={{predictions: '{masks}', references: '{cohort}'}}"))
    assert completed.returncode == 0, completed.stdout[-4000:]
    scores = read_table(run.results / "scores/cases.csv", text_columns=TEXT_COLUMNS)
    assert sorted(scores["case"].unique()) == CASES
    assert json.loads((run.results / "scores/summary.json").read_text())["missing"] == []
