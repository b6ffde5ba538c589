"""Models with float16 weights: as strict as others, and float32 in memory."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from export_starter import main as export_starter
from tests.support.builders import TASK, model_card, network_with_statistics
from tests.support.model_files import TINY, read_error, weights_of, write_model_file
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks import starter
from tumorseg.networks.factory import build
from tumorseg.networks.model import read_model, write_model
from tumorseg.networks.subset_scores import SubsetScore, SubsetScores, write_subset_scores

LARGEST = 65504


def halved(weights):
    return {
        name: tensor if "running" in name or "batches" in name else tensor.half() for name, tensor in weights.items()
    }


def test_float16_weights_become_float32_in_memory(tmp_path):
    network = network_with_statistics()
    card = model_card(network.architecture)
    write_model(tmp_path / "a", network, card, half=True)
    again, its_card = read_model(tmp_path / "a")
    assert its_card == card
    stored, loaded = load_file(tmp_path / "a"), again.state_dict()
    for name, tensor in halved(network.state_dict()).items():
        assert stored[name].dtype == tensor.dtype
        assert torch.equal(stored[name], tensor)
        assert torch.equal(loaded[name], tensor.to(network.state_dict()[name].dtype))


def test_variances_may_be_larger_than_float16_can_hold(tmp_path):
    network = build(TINY)
    network.state_dict()["encoder.0.1.running_var"][0] = 1e6
    write_model(tmp_path / "a", network, model_card(TINY), half=True)
    assert read_model(tmp_path / "a")[0].state_dict()["encoder.0.1.running_var"][0] == 1e6


def test_the_output_is_nearly_that_of_float32(tmp_path):
    network = network_with_statistics()
    write_model(tmp_path / "a", network, model_card(network.architecture), half=True)
    image = torch.randn(1, 4, 16, 16, 16)
    with torch.no_grad():
        expected, found = network(image), read_model(tmp_path / "a")[0](image)
    assert torch.allclose(found, expected, atol=0.01 * float(expected.abs().max()))


def test_equal_models_give_equal_bytes_and_half_the_size(tmp_path):
    network = network_with_statistics()
    for name in ("a", "b"):
        write_model(tmp_path / name, network, model_card(network.architecture), half=True)
    write_model(tmp_path / "c", network, model_card(network.architecture))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").stat().st_size < 0.6 * (tmp_path / "c").stat().st_size


def test_a_weight_that_float16_cannot_hold_is_refused(tmp_path):
    network = build(TINY)
    network.heads[0].bias.data[1] = -LARGEST
    write_model(tmp_path / "a", network, model_card(TINY), half=True)
    network.heads[0].bias.data[1] = -1e5
    with pytest.raises(UserError, match=r"heads\.0\.bias has the value 100000, but float16 holds at most 65504"):
        write_model(tmp_path / "b", network, model_card(TINY), half=True)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights.update({"heads.0.bias": torch.zeros(5)}), "is F16"),
        (lambda weights: weights.update({"heads.0.bias": torch.zeros(4).half()}), "F16 4 instead of F16 5"),
        (lambda weights: weights.update({"heads.0.bias": torch.zeros(5).double()}), "F64 5 instead of F16 5"),
        (lambda weights: weights.pop("heads.0.bias"), "heads.0.bias is missing"),
    ],
)
def test_weights_that_do_not_fit_the_card_are_refused(tmp_path, change, words):
    weights = halved(weights_of(build(TINY)))
    change(weights)
    error = read_error(write_model_file(tmp_path / "a", weights=weights))
    assert "its weights do not fit its description" in error
    assert words in error


@pytest.mark.parametrize("name", ["heads.0.weight", "encoder.0.1.running_var"])
def test_non_finite_weights_are_refused(tmp_path, name):
    weights = halved(weights_of(build(TINY)))
    weights[name].view(-1)[-1] = float("inf")
    assert "NaN or infinite" in read_error(write_model_file(tmp_path / "a", weights=weights))


def test_one_flipped_bit_is_refused(tmp_path):
    write_model(tmp_path / "a", build(TINY), model_card(TINY), half=True)
    content = bytearray((tmp_path / "a").read_bytes())
    content[-100] ^= 1
    (tmp_path / "a").write_bytes(content)
    assert "its content is not what was written" in read_error(tmp_path / "a")


def test_the_script_writes_a_starter_model_with_its_scores_and_digest(tmp_path, monkeypatch):
    network = network_with_statistics()
    write_model(tmp_path / "fold-0.safetensors", network, model_card(network.architecture))
    out = tmp_path / "models/starter.safetensors"
    export_starter(["--model", str(tmp_path / "fold-0.safetensors"), "--scores", "Dice 0.5.", "--output", str(out)])
    monkeypatch.setattr(starter, "MODELS_FOLDER", out.parent)
    _, card = read_model(starter.model_path("starter"))
    assert card == model_card(network.architecture, starter_scores="Dice 0.5.")


def test_the_script_writes_the_scores_with_subsets_of_the_channels(tmp_path):
    model, out, scores = tmp_path / "fold-0.safetensors", tmp_path / "starter.safetensors", tmp_path / "scores.json"
    write_model(model, build(TINY), model_card(TINY))
    dice = dict.fromkeys(TASK.structures, 0.5)
    known = SubsetScores(tuple(SubsetScore(subset, 3, dice) for subset in TASK.channel_subsets), {"overlap": 0.5})
    write_subset_scores(scores, sha256(model), known)
    options = ["--scores", "Good.", "--subset-scores", str(scores), "--output", str(out)]
    export_starter(["--model", str(model), *options])
    assert read_model(out)[1].subset_scores == known
    again = tmp_path / "again.safetensors"
    with pytest.raises(SystemExit):
        export_starter(["--model", str(out), *options[:-1], str(again)])
    assert not again.exists()


def test_a_starter_model_that_is_exported_again_has_the_same_weights(tmp_path):
    network = network_with_statistics()
    write_model(tmp_path / "fold-0", network, model_card(network.architecture))
    options = ["--scores", "Good.", "--output"]
    export_starter(["--model", str(tmp_path / "fold-0"), *options, str(tmp_path / "a.safetensors")])
    export_starter(["--model", str(tmp_path / "a.safetensors"), *options, str(tmp_path / "b.safetensors")])
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("scores", "value", "words"),
    [
        (" ", 0, "--scores: write one line"),
        ("Good.\nVery good.", 0, "--scores: write one line"),
        ("Good.", 1e6, "1e+06"),
    ],
)
def test_the_script_refuses_wrong_statements_and_large_weights(tmp_path, capsys, scores, value, words):
    network = build(TINY)
    network.heads[0].bias.data[0] = value
    assert words in refusal_of_script(tmp_path, capsys, network, model_card(TINY), scores)


def test_the_script_refuses_a_model_of_the_demo(tmp_path, capsys):
    card = model_card(TINY)
    card = replace(card, trained_on=replace(card.trained_on, demo=True))
    assert "this is a model of the demo" in refusal_of_script(tmp_path, capsys, build(TINY), card, "Good.")


def refusal_of_script(folder, capsys, network, card, scores) -> str:
    write_model(folder / "a", network, card)
    with pytest.raises(SystemExit):
        export_starter(["--model", str(folder / "a"), "--scores", scores, "--output", str(folder / "b")])
    assert not (folder / "b").exists()
    return str(capsys.readouterr().err)
