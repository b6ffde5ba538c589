import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.support.random_masks import labelled_pair
from tumorseg.cli import console
from tumorseg.errors import UserError
from tumorseg.evaluation.scoring import CaseScores, score_cases, write_scores
from tumorseg.metrics.overlap import confusion
from tumorseg.metrics.structure_scores import case_scores
from tumorseg.metrics.summary import summarise
from tumorseg.task import load_task

TASK = load_task()
SEEDS = range(5)
SETTINGS = {"confidence": 0.9, "bootstrap_samples": 50, "surface_tolerance_mm": 1, "seed": 1}


def compute_scores(reference, prediction):
    return case_scores(reference, prediction, (1.0, 1.0, 1.0), task=TASK, surface_tolerance_mm=1)


def score(seed: int) -> CaseScores:
    """Score a random case. Other processes can import this function."""
    if seed < 0:
        raise UserError(f"case {seed} has no prediction")
    reference, prediction = labelled_pair(seed)
    return CaseScores(f"case-{seed}", seed % 2, *compute_scores(reference, prediction))


def without_label_1(seed: int) -> CaseScores:
    reference, prediction = labelled_pair(seed)
    prediction[prediction == 1] = 2
    return CaseScores(f"case-{seed}", 0, *compute_scores(reference, prediction))


def write(tmp_path, score_one):
    table, confusions = score_cases(SEEDS, score_one, 1)
    outputs = tmp_path / "scores.csv", table, tmp_path / "summary.json"
    return table, confusions, write_scores(*outputs, confusions, SETTINGS, task=TASK)


@pytest.mark.parametrize("processes", [2, 9])
def test_the_number_of_processes_changes_nothing(processes):
    table, confusions = score_cases(SEEDS, score, 1)
    table_again, confusions_again = score_cases(SEEDS, score, processes)
    pd.testing.assert_frame_equal(table_again, table, check_exact=True)
    np.testing.assert_equal(confusions_again, confusions)


def test_the_table_has_rows_for_each_case_in_order():
    table, _ = score_cases(SEEDS, score, 2)
    assert table["case"].tolist() == [f"case-{seed}" for seed in SEEDS for _ in TASK.structures]
    assert table["region"].tolist() == [*TASK.structures] * len(SEEDS)
    assert table["fold"].tolist() == [seed % 2 for seed in SEEDS for _ in TASK.structures]


def test_each_case_has_a_confusion_matrix():
    _, confusions = score_cases(SEEDS, score, 1)
    expected = {f"case-{seed}": confusion(*labelled_pair(seed), TASK.classes) for seed in SEEDS}
    np.testing.assert_equal(confusions, expected)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_one_case_is_raised_unchanged(processes):
    with pytest.raises(UserError, match="case -1 has no prediction"):
        score_cases([0, 1, -1], score, processes)


def test_progress_is_logged_for_each_case(capsys):
    with console.job("evaluate", None):
        score_cases([0, 1], score, 2)
    assert re.search(r"evaluate: case 2/2, case-1, done in 0:\d\d", capsys.readouterr().err)


def test_scores_and_their_summary_are_written(tmp_path):
    table, confusions, content = write(tmp_path, score)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "scores.csv"), table, check_exact=True)
    assert json.loads((tmp_path / "summary.json").read_text()) == content
    assert content == summarise(table, confusions, task=TASK, **SETTINGS)


def test_a_label_that_is_never_predicted_gives_a_warning(tmp_path, capsys):
    with console.job("evaluate", None):
        write(tmp_path, without_label_1)
    assert "evaluate: label_1 is never predicted although the references have it" in capsys.readouterr().err


def test_no_warning_if_every_label_is_predicted(tmp_path, capsys):
    with console.job("evaluate", None):
        write(tmp_path, score)
    assert "never predicted" not in capsys.readouterr().err


def test_each_case_is_handed_on_in_order():
    scored = []
    score_cases(SEEDS, score, 2, on_case=scored.append)
    assert [case.case for case in scored] == [f"case-{seed}" for seed in SEEDS]
