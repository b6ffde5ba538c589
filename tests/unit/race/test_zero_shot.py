"""Scores of a model that is not trained."""

import pandas as pd
import pytest
import yaml

from tests.benchmarks.race import command_line, scores
from tests.support.builders import REPOSITORY, TASK, model_card, random_network, write_random_case
from tumorseg.io.digests import sha256
from tumorseg.networks.held_out_quality import read_held_out_cases
from tumorseg.networks.model import write_model
from tumorseg.networks.subset_scores import read_subset_scores


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    """The command line that scores a model on two cases, without outputs."""
    network, model = random_network(), tmp_path / "model.safetensors"
    write_model(model, network, model_card(network.architecture))
    cases = [write_random_case(tmp_path / f"{name}.safetensors", seed=seed) for seed, name in enumerate("ab")]
    monkeypatch.setattr(scores, "prepare_cases_of", lambda *_: {"--test": cases})
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(yaml.safe_load((REPOSITORY / "config.yaml").read_text())))
    return ["zero-shot", str(model), "--test", str(tmp_path), "--recipe", str(recipe)]


def test_the_test_cases_become_the_held_out_cases_of_the_model(arguments, tmp_path):
    written, model = tmp_path / "model.reliability.json", tmp_path / "model.safetensors"
    command_line.main([*arguments, "--held-out", str(written), "--results", str(tmp_path / "scores.csv")])
    held_out = read_held_out_cases(written, sha256(model), TASK)
    dice = pd.read_csv(tmp_path / "scores.csv")["TC"]
    assert [case.structures["TC"].dice for case in held_out.cases] == pytest.approx(dice.tolist(), abs=1e-5)
    for case in held_out.cases:
        found = case.structures["TC"]
        assert found.estimate.mm3 == found.estimate.quality.mask_mm3  # nothing is resampled or post-processed
        assert found.reference_mm3 > 0
    assert held_out.prediction["overlap"] == 0.5


def test_the_scores_of_all_subsets_are_written_for_the_starter_model(arguments, tmp_path, capsys):
    written, model = tmp_path / "model.subsets.json", tmp_path / "model.safetensors"
    command_line.main([*arguments, "--subset-scores", str(written)])
    scores_of_model = read_subset_scores(written, sha256(model), TASK)
    assert scores_of_model.prediction["overlap"] == 0.5
    found = scores_of_model.subsets
    assert [score.channels for score in found] == list(TASK.channel_subsets)
    assert {score.cases for score in found} == {2}
    all_channels, *_, last = capsys.readouterr().out.splitlines()
    assert f"WT {found[0].dice['WT']:.3f} " in all_channels
    assert last.startswith("flair, 2 cases: WT ")
    assert found[0].dice["WT"] != pytest.approx(found[-1].dice["WT"])
