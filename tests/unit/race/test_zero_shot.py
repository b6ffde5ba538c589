"""Scores of a model that is not trained."""

import pytest
import yaml

from tests.benchmarks.race import command_line, scores
from tests.support.builders import REPOSITORY, TASK, model_card, random_network, write_random_case
from tumorseg.io.digests import sha256
from tumorseg.networks.model import write_model
from tumorseg.networks.subset_scores import read_subset_scores


def test_the_scores_of_all_subsets_are_written_for_the_starter_model(tmp_path, monkeypatch, capsys):
    network, model, written = random_network(), tmp_path / "model.safetensors", tmp_path / "model.subsets.json"
    write_model(model, network, model_card(network.architecture))
    cases = [write_random_case(tmp_path / f"{name}.safetensors", seed=seed) for seed, name in enumerate("ab")]
    monkeypatch.setattr(scores, "prepare_cases_of", lambda *_: {"--test": cases})
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(yaml.safe_load((REPOSITORY / "config.yaml").read_text())))
    options = ["--test", str(tmp_path), "--recipe", str(recipe), "--subset-scores", str(written)]
    command_line.main(["zero-shot", str(model), *options])
    scores_of_model = read_subset_scores(written, sha256(model), TASK)
    assert scores_of_model.prediction["overlap"] == 0.5
    found = scores_of_model.subsets
    assert [score.channels for score in found] == list(TASK.channel_subsets)
    assert {score.cases for score in found} == {2}
    all_channels, *_, last = capsys.readouterr().out.splitlines()
    assert f"WT {found[0].dice['WT']:.3f} " in all_channels
    assert last.startswith("flair, 2 cases: WT ")
    assert found[0].dice["WT"] != pytest.approx(found[-1].dice["WT"])
