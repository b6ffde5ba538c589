"""Model files: equal models are equal bytes, and what is no valid model is refused before its weights are loaded."""

import json
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from tests.helpers import model_card, trained_on, write_random_case
from tumorseg.errors import UserError
from tumorseg.network import model
from tumorseg.network.model import DEMONSTRATION, read_model, write_model
from tumorseg.network.unet import Architecture, build

TINY = Architecture(base_channels=2)


def weights_of(network):
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}


def forged(path, card=None, weights=None, edited=None, **header):
    """A model file as someone may make it on purpose: with any card and weights, and the digest of both.

    edited: text that takes the place of the card after the digest was taken.
    """
    content = asdict(model_card(TINY)) if card is None else card
    weights = weights_of(build(TINY)) if weights is None else weights
    text = json.dumps(content, sort_keys=True)
    own = {"format": 3, "digest": model._digest(weights, text), "card": edited or text} | header
    path.write_bytes(save(weights, metadata={"tumorseg": json.dumps(own)}))
    return path


def changed(section, key, value):
    """The card of a valid model with one value changed; section: None for the card itself."""
    content = json.loads(json.dumps(asdict(model_card(TINY))))
    (content if section is None else content[section])[key] = value
    return content


def refusal(path) -> str:
    with pytest.raises(UserError) as caught:
        read_model(Path(path))
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_model_file_rebuilds_the_network_and_its_card(tmp_path):
    network, card = build(TINY).eval(), model_card(TINY, trained_on=trained_on((1, 1, 5), demo=True))
    write_model(tmp_path / "a.safetensors", network, card)
    again, its_card = read_model(tmp_path / "a.safetensors")
    image = torch.randn(1, 4, 16, 16, 16)
    assert torch.equal(network(image), again(image))
    assert its_card == card


def test_equal_models_are_equal_bytes(tmp_path):
    network = build(TINY)
    for name in ("a", "b"):
        write_model(tmp_path / name, network, model_card(TINY))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_the_model_of_the_demo_marks_what_it_makes():
    assert model_card(TINY).mark == ""
    assert model_card(TINY, trained_on=trained_on(demo=True)).mark == DEMONSTRATION
    assert len(DEMONSTRATION.encode("ascii")) < 80  # bytes in a NIfTI header


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_model_that_is_cut_off_is_refused(tmp_path, kept):
    write_model(tmp_path / "a.safetensors", build(TINY), model_card(TINY))
    (tmp_path / "a.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:kept])
    assert "not a sound model" in refusal(tmp_path / "a.safetensors")


def test_a_model_with_something_behind_it_is_refused(tmp_path):
    path = forged(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes() + b"more")
    assert "more follows than its head says" in refusal(path)


@pytest.mark.parametrize("place", [0.5, 0.99])
def test_one_flipped_bit_of_a_model_is_refused(tmp_path, place):
    write_model(tmp_path / "a.safetensors", build(Architecture(8)), model_card(Architecture(8)))
    content = bytearray((tmp_path / "a.safetensors").read_bytes())
    content[int(place * len(content))] ^= 1
    (tmp_path / "a.safetensors").write_bytes(content)
    assert "its content is not what was written" in refusal(tmp_path / "a.safetensors")


def test_a_card_that_was_edited_is_refused(tmp_path):
    text = json.dumps(changed(None, "epoch", 2), sort_keys=True)
    assert "its content is not what was written" in refusal(forged(tmp_path / "a.safetensors", edited=text))


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("normalisation", "margin", -5, "normalisation.margin: -5 is not allowed; it has to be a whole number from 0"),
        ("normalisation", "margin", 10**9, "normalisation.margin: 1000000000 is not allowed"),
        ("normalisation", "margin", True, "normalisation.margin: True is not allowed"),
        ("normalisation", "margin", "1", "normalisation.margin: '1' is not allowed"),
        (
            "normalisation",
            "clip_percentiles",
            [99.5, 0.5],
            "normalisation.clip_percentiles: [99.5, 0.5] is not allowed",
        ),
        ("normalisation", "clip_percentiles", [0.5], "normalisation.clip_percentiles"),
        ("normalisation", "clip_percentiles", [float("nan"), 99], "numbers that are none"),
        ("normalisation", "extra", 1, "normalisation.extra: there is no such key"),
        (None, "normalisation", {}, "normalisation.clip_percentiles: this key is missing"),
        (None, "normalisation", [], "normalisation: it has to have the keys clip_percentiles, margin"),
        (
            None,
            "convention",
            "brats1999",
            "convention: 'brats1999' is not allowed; it has to be brats2021 or brats2023",
        ),
        (None, "fold", -1, "fold: -1 is not allowed"),
        (None, "epoch", 10**6, "epoch: 1000000 is not allowed"),
        (None, "epoch", 1.0, "epoch: 1.0 is not allowed"),
        (None, "checkpoint", "../..", "checkpoint: '../..' is not allowed"),
        (None, "extra", 1, "extra: there is no such key"),
        ("architecture", "base_channels", 10**9, "architecture.base_channels: 1000000000 is not allowed"),
        ("architecture", "base_channels", 0, "architecture.base_channels: 0 is not allowed"),
        ("architecture", "classes", 4, "architecture.classes: 4 is not allowed; it has to be 5"),
        ("architecture", "modalities", 1, "architecture.modalities: 1 is not allowed; it has to be 4"),
        ("architecture", "norm", None, "architecture.norm: None is not allowed"),
        ("trained_on", "demo", "no", "trained_on.demo: 'no' is not allowed; it has to be true or false"),
        ("trained_on", "spacing_mm", [1, 1, 1], "trained_on.spacing_mm"),
        ("trained_on", "modalities", ["t1"], "trained_on.modalities: ['t1'] is not allowed"),
        ("trained_on", "brain_voxels", {"low": 9, "median": 5, "high": 1}, "trained_on.brain_voxels"),
    ],
)
def test_a_description_that_is_not_allowed_is_refused_with_its_key(tmp_path, section, key, value, words):
    path = forged(tmp_path / "a.safetensors", changed(section, key, value))
    assert words in refusal(path)


def test_a_description_without_one_of_its_keys_is_refused(tmp_path):
    card = asdict(model_card(TINY))
    del card["trained_on"]
    assert "trained_on: this key is missing" in refusal(forged(tmp_path / "a.safetensors", card))


def test_no_model_is_written_that_would_be_refused(tmp_path):
    card = replace(model_card(TINY), normalisation={})
    with pytest.raises(ValueError, match=r"normalisation\.margin: this key is missing"):
        write_model(tmp_path / "a.safetensors", build(TINY), card)
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights.pop("heads.0.bias"), "heads.0.bias is missing"),
        (lambda weights: weights.update(extra=torch.zeros(1)), "extra is no part of the network"),
        (lambda weights: weights.update({"heads.0.bias": torch.zeros(4)}), "heads.0.bias is F32 4 instead of F32 5"),
        (lambda weights: weights.update({"heads.0.bias": torch.zeros(5).half()}), "heads.0.bias is F16 5 instead"),
    ],
)
def test_weights_that_do_not_fit_the_description_are_refused_before_any_is_loaded(tmp_path, monkeypatch, change, words):
    weights = weights_of(build(TINY))
    change(weights)
    path = forged(tmp_path / "a.safetensors", weights=weights)
    monkeypatch.setattr(model, "load_file", None)  # it would raise TypeError
    assert f"its weights do not fit its description: {words}" in refusal(path)


def test_a_description_of_a_larger_network_is_refused_before_it_is_built(tmp_path, monkeypatch):
    path = forged(tmp_path / "a.safetensors", changed("architecture", "base_channels", 512))
    monkeypatch.setattr(model, "build", None)
    assert "its weights do not fit its description" in refusal(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["heads.0.weight", "encoder.0.1.running_mean", "encoder.3.4.running_var"])
def test_weights_and_statistics_that_are_no_numbers_are_refused(tmp_path, name, value):
    weights = weights_of(build(TINY))
    weights[name].view(-1)[-1] = value
    path = forged(tmp_path / "a.safetensors", weights=weights)
    assert f"{name} has values that are NaN or infinite" in refusal(path)


def test_a_variance_below_0_is_refused(tmp_path):
    weights = weights_of(build(TINY))
    weights["encoder.0.1.running_var"][0] = -1
    assert "variances below 0" in refusal(forged(tmp_path / "a.safetensors", weights=weights))


@pytest.mark.parametrize("format_", [2, 4, None, "3"])
def test_a_model_of_another_format_is_refused_with_what_to_do(tmp_path, format_):
    message = refusal(forged(tmp_path / "a.safetensors", format=format_))
    assert f"written in the format {format_} by another version" in message
    assert "run the workflow again to export it again, or train it again" in message


def test_a_normalised_case_is_no_model(tmp_path):
    assert "a normalised case of this workflow" in refusal(write_random_case(tmp_path / "a.safetensors"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s9--ab.safetensors\n", "git annex get"),
        (b"<!DOCTYPE html><html>login</html>", "download it again"),
        (pickle.dumps({"weights": [1]}), "it was not opened); give the exported model"),
        (b"PK\x03\x04" + bytes(40), "it was not opened); give the exported model"),
        (b"\xff" * 200, "no safetensors file"),
        ((2**63).to_bytes(8, "little") + b"{" + bytes(99), "its head says that it has 9223372036854775808 bytes"),
        ((2).to_bytes(8, "little") + b"{}", "a safetensors file of another program"),
        ((4).to_bytes(8, "little") + b"{xx}", "its head is no JSON"),
        (save({"conv.weight": torch.zeros(8)}), "a safetensors file of another program"),
    ],
)
def test_something_else_is_refused_for_what_it_is(tmp_path, content, words):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert words in refusal(path)


def test_the_checkpoint_of_a_training_is_refused_with_the_name_of_the_model(tmp_path):
    path = tmp_path / "results/training/fold-3/epoch-0001.pt"
    path.parent.mkdir(parents=True)
    torch.save({"weights": weights_of(build(TINY))}, path)
    message = refusal(path)
    assert "the checkpoint of a training" in message
    assert message.endswith("give the exported model, such as results/model/fold-3.safetensors")


def test_a_fifo_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.safetensors")
    assert "this is a FIFO (named pipe), not a regular file" in refusal(tmp_path / "a.safetensors")


@pytest.mark.parametrize("path", ["/dev/zero", "/"])
def test_devices_and_folders_are_refused(path):
    assert "not a regular file" in refusal(path)


def test_a_huge_sparse_file_is_refused_by_its_size(tmp_path):
    path = forged(tmp_path / "a.safetensors")
    with path.open("ab") as file:
        file.truncate(100 * 2**30)
    assert "more follows than its head says" in refusal(path)


def test_a_model_larger_than_any_of_this_workflow_is_refused(tmp_path):
    size = 100 * 2**30
    head = json.dumps({"a": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    with (tmp_path / "a.safetensors").open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.truncate(8 + len(head) + size)
    assert f"at most {8 * 2**30} are read" in refusal(tmp_path / "a.safetensors")


def test_a_link_to_nowhere_says_how_to_fetch_it(tmp_path):
    (tmp_path / "a.safetensors").symlink_to(".git/annex/objects/xx")
    assert "git annex get" in refusal(tmp_path / "a.safetensors")


def test_the_weights_of_a_valid_file_are_those_that_were_written(tmp_path):
    network = build(TINY)
    write_model(tmp_path / "a", network, model_card(TINY))
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in load_file(tmp_path / "a").items())
