"""Model files: equal models give equal bytes, and invalid ones are refused before their weights are loaded."""

import json
from dataclasses import asdict, replace

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.support.builders import REPOSITORY, architecture, model_card, trained_on
from tests.support.model_files import TINY, read_error, weights_of, with_changed_entry, write_model_file
from tumorseg.networks import model
from tumorseg.networks.card_validation import (
    MAX_BASE_CHANNELS,
    MAX_DEPTH,
    MAX_MARGIN_VOXELS,
    MAX_SPACING_MM,
    MIN_SPACING_MM,
    card_problems,
)
from tumorseg.networks.factory import NETWORKS, build
from tumorseg.networks.model import read_model, write_model
from tumorseg.networks.model_header import read_header
from tumorseg.networks.notices import DEMO_MODEL_WARNING, STARTER_MODEL_WARNING
from tumorseg.preprocessing.resampling import stored_settings
from tumorseg.task import built_in_tasks, load_task


def test_a_model_file_rebuilds_the_network_and_its_card(tmp_path):
    network, card = build(TINY).eval(), model_card(TINY, trained_on=trained_on((1, 1, 5), demo=True))
    write_model(tmp_path / "a.safetensors", network, card)
    again, its_card = read_model(tmp_path / "a.safetensors")
    image = torch.randn(1, 4, 16, 16, 16)
    assert torch.equal(network(image), again(image))
    assert its_card == card


def test_the_model_that_the_training_started_from_is_in_the_card(tmp_path):
    card = model_card(TINY, start_from="ab" * 32)
    write_model(tmp_path / "a.safetensors", build(TINY), card)
    assert read_model(tmp_path / "a.safetensors")[1] == card


def test_a_model_without_the_later_keys_is_read(tmp_path):
    content = with_changed_entry(None, "fold", 0)
    del content["start_from"], content["trained_on"]["case_signatures"]
    _, card = read_model(write_model_file(tmp_path / "a.safetensors", content))
    assert (card.start_from, card.trained_on.case_signatures) == (None, ())


def test_equal_models_give_equal_bytes(tmp_path):
    network = build(TINY)
    for name in ("a", "b"):
        write_model(tmp_path / name, network, model_card(TINY))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_the_demo_model_and_the_starter_model_mark_their_outputs():
    assert (model_card(TINY).mark, model_card(TINY).notice) == ("", None)
    assert model_card(TINY, trained_on=trained_on(demo=True)).mark == DEMO_MODEL_WARNING
    starter = model_card(TINY, starter_scores="Dice 0.5.")
    assert starter.mark == STARTER_MODEL_WARNING
    assert starter.notice.text == f"{STARTER_MODEL_WARNING}. Dice 0.5."
    for mark in (DEMO_MODEL_WARNING, STARTER_MODEL_WARNING):
        assert len(mark.encode("ascii")) < 80  # bytes in a NIfTI header


def test_the_notice_is_in_the_header(tmp_path):
    card = model_card(TINY, starter_scores="Dice 0.5.")
    write_model(tmp_path / "a", build(TINY), card)
    assert read_header(tmp_path / "a").notice == read_model(tmp_path / "a")[1].notice == card.notice


def test_only_the_card_of_a_starter_model_has_scores():
    assert "starter_scores" not in model_card(TINY).to_json()


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_truncated_model_is_refused(tmp_path, kept):
    write_model(tmp_path / "a.safetensors", build(TINY), model_card(TINY))
    (tmp_path / "a.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:kept])
    assert "not a valid model" in read_error(tmp_path / "a.safetensors")


def test_a_model_with_trailing_bytes_is_refused(tmp_path):
    path = write_model_file(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes() + b"more")
    assert "longer than its header says" in read_error(path)


@pytest.mark.parametrize("fraction", [0.5, 0.99])
def test_one_flipped_bit_of_a_model_is_refused(tmp_path, fraction):
    write_model(tmp_path / "a.safetensors", build(architecture(8)), model_card(architecture(8)))
    content = bytearray((tmp_path / "a.safetensors").read_bytes())
    content[int(fraction * len(content))] ^= 1
    (tmp_path / "a.safetensors").write_bytes(content)
    assert "its content is not what was written" in read_error(tmp_path / "a.safetensors")


def test_an_edited_card_is_refused(tmp_path):
    text = json.dumps(with_changed_entry(None, "epoch", 2), sort_keys=True)
    assert "its content is not what was written" in read_error(
        write_model_file(tmp_path / "a.safetensors", edited=text)
    )


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        (
            "normalisation",
            "margin_voxels",
            -5,
            "normalisation.margin_voxels: -5 is not allowed; it has to be a whole number from 0",
        ),
        ("normalisation", "margin_voxels", 10**9, "normalisation.margin_voxels: 1000000000 is not allowed"),
        ("normalisation", "margin_voxels", True, "normalisation.margin_voxels: True is not allowed"),
        ("normalisation", "margin_voxels", "1", "normalisation.margin_voxels: '1' is not allowed"),
        (
            "normalisation",
            "clip_percentiles",
            [99.5, 0.5],
            "normalisation.clip_percentiles: [99.5, 0.5] is not allowed",
        ),
        ("normalisation", "clip_percentiles", [0.5], "normalisation.clip_percentiles"),
        ("normalisation", "clip_percentiles", [float("nan"), 99], "NaN or infinity"),
        ("normalisation", "spacing_mm", [2, 2, 0.01], "normalisation.spacing_mm[2]: 0.01 is not allowed"),
        ("normalisation", "spacing_mm", 2, "normalisation.spacing_mm: 2 is not allowed; it has to be a list of 3"),
        ("normalisation", "extra", 1, "normalisation.'extra': there is no such key"),
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
        (None, "starter_scores", 0.5, "starter_scores: 0.5 is not allowed; it has to be text of up to 300 printable"),
        (None, "extra", 1, "'extra': there is no such key"),
        (None, "convention", "\x1b[31m\ud800", r"convention: '\x1b[31m\ud800' is not allowed"),
        ("architecture", "base_channels", 10**9, "architecture.base_channels: 1000000000 is not allowed"),
        ("architecture", "base_channels", 0, "architecture.base_channels: 0 is not allowed"),
        ("architecture", "classes", 4, "architecture.classes: 4 is not allowed; it has to be 5"),
        ("architecture", "channels", 1, "architecture.channels: 1 is not allowed; it has to be 4"),
        ("architecture", "depth", 6, "architecture.depth: 6 is not allowed; it has to be a whole number from 1 to 5"),
        ("architecture", "name", "../x", "architecture.name: '../x' is not allowed"),
        ("architecture", "name", "resnet", "its network is 'resnet'; this version of the workflow has unet or"),
        (None, "task", 5, "task: it has to have the keys name, title, channels"),
        ("task", "name", "a\x1b", "task.name: 'a\\x1b' is not allowed; it has to be text of up to 200 printable"),
        ("task", "classes", 4, "task: label 4 needs at least 5 classes, but there are 4"),
        ("task", "classes", 2.0, "task.classes: 2.0 is not allowed; it has to be a whole number from 2 to 16"),
        ("task", "title", "x" * 201, "task.title: 'xxx"),
        ("task", "channels", [], "task.channels: [] is not allowed; it has to be a list of 1 to 16"),
        ("task", "labels", [1], "task.labels[0]: it has to have the keys value, title, meaning, colour"),
        ("task", "conventions", {"a": {"x": 1}}, "task.conventions.a.'x': a key has to be a value of masks"),
        ("task", "conventions", {"a": {"3": 1}}, "task: convention a writes the label 3, which is not among the"),
        ("architecture", "norm", None, "architecture.norm: None is not allowed"),
        ("trained_on", "demo", "no", "trained_on.demo: 'no' is not allowed; it has to be true or false"),
        ("trained_on", "spacing_mm", [1, 1, 1], "trained_on.spacing_mm"),
        ("trained_on", "channels", ["t1"], "trained_on.channels: ['t1'] is not allowed"),
        ("trained_on", "set_patches", [-1], "trained_on.set_patches[0]: -1 is not allowed"),
        ("trained_on", "set_patches", [5, 5], "trained_on.set_patches: 2 numbers, but 0 sets of channels"),
        ("trained_on", "brain_voxels", {"low": 9, "median": 5, "high": 1}, "trained_on.brain_voxels"),
    ],
)
def test_an_invalid_card_is_refused_and_its_key_named(tmp_path, section, key, value, words):
    path = write_model_file(tmp_path / "a.safetensors", with_changed_entry(section, key, value))
    assert words in read_error(path)


def test_a_card_with_a_missing_key_is_refused(tmp_path):
    card = asdict(model_card(TINY))
    del card["trained_on"]
    assert "trained_on: this key is missing" in read_error(write_model_file(tmp_path / "a.safetensors", card))


def test_a_model_with_an_invalid_card_is_not_written(tmp_path):
    card = replace(model_card(TINY), normalisation={})
    with pytest.raises(ValueError, match=r"normalisation\.margin_voxels: this key is missing"):
        write_model(tmp_path / "a.safetensors", build(TINY), card)
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights.pop("heads.0.bias"), "heads.0.bias is missing"),
        (lambda weights: weights.update(extra=torch.zeros(1)), "'extra' is not part of the network"),
        (lambda weights: weights.update({"heads.0.bias": torch.zeros(4)}), "heads.0.bias is F32 4 instead of F32 5"),
        (lambda weights: weights.update({"heads.0.bias": torch.zeros(5).half()}), "heads.0.bias is F16 5 instead"),
    ],
)
def test_weights_that_do_not_fit_the_card_are_refused_before_loading(tmp_path, monkeypatch, change, words):
    weights = weights_of(build(TINY))
    change(weights)
    path = write_model_file(tmp_path / "a.safetensors", weights=weights)
    monkeypatch.setattr(model, "load_file", None)  # it would raise TypeError
    assert f"its weights do not fit its description: {words}" in read_error(path)


def test_the_card_of_a_larger_network_is_refused_before_it_is_built(tmp_path, monkeypatch):
    path = write_model_file(tmp_path / "a.safetensors", with_changed_entry("architecture", "base_channels", 256))
    monkeypatch.setattr(model, "build", None)
    assert "its weights do not fit its description" in read_error(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["heads.0.weight", "encoder.0.1.running_mean", "encoder.3.4.running_var"])
def test_non_finite_weights_and_statistics_are_refused(tmp_path, name, value):
    weights = weights_of(build(TINY))
    weights[name].view(-1)[-1] = value
    path = write_model_file(tmp_path / "a.safetensors", weights=weights)
    assert f"{name} has values that are NaN or infinite" in read_error(path)


def test_a_variance_below_0_is_refused(tmp_path):
    weights = weights_of(build(TINY))
    weights["encoder.0.1.running_var"][0] = -1
    assert "variances below 0" in read_error(write_model_file(tmp_path / "a.safetensors", weights=weights))


@pytest.mark.parametrize("format_", [3, 4, None, "5"])
def test_a_model_of_another_format_is_refused_with_a_remedy(tmp_path, format_):
    message = read_error(write_model_file(tmp_path / "a.safetensors", format=format_))
    assert f"written in the format {format_!r} by another version" in message
    assert "run the workflow again to export it again, or train it again" in message


def test_the_weights_read_are_those_written(tmp_path):
    network = build(TINY)
    write_model(tmp_path / "a", network, model_card(TINY))
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in load_file(tmp_path / "a").items())


def test_a_card_allows_what_the_configuration_allows():
    sections = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())["properties"]
    assert sections["model"]["properties"]["base_channels"]["maximum"] == MAX_BASE_CHANNELS
    assert sections["model"]["properties"]["depth"]["maximum"] == MAX_DEPTH
    assert sections["normalisation"]["properties"]["margin_voxels"]["maximum"] == MAX_MARGIN_VOXELS
    limits = sections["normalisation"]["properties"]["spacing_mm"]
    assert (limits["minimum"], limits["maximum"]) == (MIN_SPACING_MM, MAX_SPACING_MM)
    section = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["normalisation"]
    for changes in ({}, {"spacing_mm": 2}, {"spacing_mm": [1, 1, 2.5]}):
        card = model_card(TINY, normalisation=stored_settings({**section, **changes}))
        assert card_problems(json.loads(json.dumps(asdict(card)))) == []


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_every_network_can_be_rebuilt_from_its_file(tmp_path, name, norm):
    built = architecture(name=name, norm=norm, depth=2, down_sampling="stride", deep_supervision=True)
    network = build(built).eval()
    write_model(tmp_path / "a", network, model_card(built))
    again, card = read_model(tmp_path / "a")
    image = torch.randn(1, 4, 16, 8, 16)
    assert torch.equal(network(image), again(image))
    assert card.architecture == built


@pytest.mark.parametrize("name", built_in_tasks())
def test_a_model_holds_its_whole_task(tmp_path, name):
    task = load_task(name)
    built = architecture(task=task)
    write_model(tmp_path / "a", build(built), model_card(built, task))
    assert read_model(tmp_path / "a")[1].task == task
    mapped = task.with_label_map({7: 1, 255: 0, 3: 1})
    write_model(tmp_path / "b", build(built), model_card(built, mapped, convention="label_map"))
    assert read_model(tmp_path / "b")[1].task == mapped


@pytest.mark.parametrize(("section", "key"), [("channels", "name"), ("labels", "value"), ("regions", "name")])
def test_a_task_with_duplicates_is_refused(tmp_path, section, key):
    content = json.loads(json.dumps(asdict(model_card(TINY))))
    content["task"][section][1][key] = content["task"][section][0][key]
    assert f"task.{section}: two of them are the same" in read_error(write_model_file(tmp_path / "a", content))
