"""Scores of a model by subsets of its channels."""

import json

import pytest

from tests.support.builders import TASK
from tumorseg.errors import UserError
from tumorseg.networks.subset_scores import (
    SubsetScore,
    SubsetScores,
    read_subset_scores,
    score_of,
    subset_scores_path,
    write_subset_scores,
)

DIGEST = "a" * 64


def score(channels: str, cases: int = 4, dice: float = 0.5) -> SubsetScore:
    return SubsetScore(tuple(channels.split()), cases, dict.fromkeys(TASK.structures, dice))


SETTINGS = {"overlap": 0.5, "window": [16, 16, 16], "probabilities": False}


def scores(*subsets: SubsetScore, **prediction) -> SubsetScores:
    return SubsetScores(subsets, SETTINGS | prediction)


SCORES = scores(score("t1 t1ce t2 flair"), score("t1 t2", dice=0.25))


@pytest.fixture
def path(tmp_path):
    path = subset_scores_path(tmp_path / "fold-0.safetensors")
    write_subset_scores(path, DIGEST, SCORES)
    return path


def test_the_file_is_beside_the_model_and_is_read_as_it_was_written(path):
    assert path.name == "fold-0.subsets.json"
    assert read_subset_scores(path, DIGEST, TASK) == SCORES


def test_scores_of_another_model_are_not_used(path):
    assert read_subset_scores(path, "b" * 64, TASK) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.update(format=1), "not the scores of a model by channels; delete the file"),
        (lambda content: content.pop("scores"), "the scores are corrupted"),
        (lambda content: content["scores"].update(prediction=[]), r"scores\.prediction"),
        (lambda content: content["scores"]["subsets"][0].update(cases=0), r"subsets\[0\]\.cases: 0 is not allowed"),
        (lambda content: content["scores"]["subsets"][0]["dice"].update(WT=1.5), r"dice\.WT: 1\.5 is not allowed"),
        (lambda content: content["scores"]["subsets"][0]["dice"].pop("WT"), r"dice\.WT: this key is missing"),
        (lambda content: content["scores"]["subsets"][1].update(channels=["t2", "t1"]), "in this order"),
        (lambda content: content["scores"]["subsets"][1].update(channels=[]), r"subsets\[1\]\.channels"),
    ],
)
def test_corrupted_scores_are_refused_with_the_file(path, change, words):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"{path}: .*{words}"):
        read_subset_scores(path, DIGEST, TASK)


def test_the_score_of_several_models_is_the_mean_over_the_cases_of_all():
    found = score_of(("t1", "t2"), [scores(score("t1 t2", 1, 0.9)), scores(score("t1 t2", 3, 0.5), score("t1"))])
    assert (found.channels, found.cases) == (("t1", "t2"), 4)
    assert found.dice["TC"] == pytest.approx(0.6)


@pytest.mark.parametrize("other", [None, scores(), scores(score("t1"))])
def test_the_score_is_unknown_if_that_of_one_model_is(other):
    assert score_of(("t1", "t2"), [SCORES, other]) is None


def test_settings_that_change_masks_are_compared_with_those_of_the_measurement():
    assert SCORES.other_settings(SETTINGS | {"probabilities": True}) == []
    assert SCORES.other_settings(SETTINGS | {"overlap": 0.25}) == ["overlap"]
    assert SCORES.other_settings(SETTINGS | {"fill_holes": True}) == ["fill_holes"]
