"""Trainings of the learning curve on tiny cases, and what becomes of their models."""

import json
from dataclasses import replace

import pytest
import torch

import learning_curve_prediction
import learning_curve_start_model
from tests.support.builders import (
    NORMALISATION,
    REPOSITORY,
    TASK,
    architecture,
    make_fold_data,
    model_card,
    random_network,
    recipe,
    write_listed_data,
    write_random_case,
)
from tests.unit.inference.test_held_out import EXECUTION, PREDICTION
from tumorseg.cohort.splits import FoldAssignment, write_splits
from tumorseg.errors import UserError
from tumorseg.inference.records import recorded_masks
from tumorseg.io.digests import sha256
from tumorseg.io.files import read_json
from tumorseg.learning_curve.models import read_curve_model
from tumorseg.learning_curve.plan import CurvePoint
from tumorseg.learning_curve.training import (
    CaseFiles,
    subset_data,
    train_point,
    with_equal_steps,
    write_training_record,
)
from tumorseg.networks.devices import Execution
from tumorseg.networks.model import write_model
from tumorseg.training import simulation
from tumorseg.training.selection import load_trained_network
from tumorseg.training.trainer import start_state, train_until

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = Execution(torch.device("cpu"), torch.float32)
EPOCHS = 2


def train(cases, folder, size: int, simulated=None, **changes):
    """Train on the first cases; the last case is held out. Return the network.

    simulated: see `FoldData`. changes: of the recipe.
    """
    data = replace(make_fold_data(cases[:-1], cases[-1:]), simulated=simulated)
    settings = with_equal_steps(recipe(**changes), len(data.training))
    files = CaseFiles(cases[:size], [], cases[-1:])
    subset = subset_data(data, [path.stem for path in files.training])
    trained, _ = train_point(
        settings, subset, files, CPU, epochs=EPOCHS, start_model=None, checkpoint=folder / f"{size}.pt"
    )
    return trained


def test_a_training_on_all_cases_equals_the_normal_training(cases, tmp_path):
    data = make_fold_data(cases[:2], cases[2:])
    state = start_state(recipe(), data, CPU, None, 0)
    arguments = {"training_cases": cases[:2], "held_out_cases": cases[2:], "execution": CPU}
    train_until(EPOCHS, state, data=data, checkpoint=tmp_path / "normal.pt", **arguments)
    normal = load_trained_network(tmp_path / "normal.pt", sha256(tmp_path / "normal.pt"), TASK)
    found = train(cases, tmp_path, 2).network.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in normal.network.state_dict().items())


def test_a_training_on_fewer_cases_has_as_many_steps(cases, tmp_path):
    train(cases, tmp_path, 1)
    epochs = read_json(tmp_path / "1.json")["epochs"]
    assert [epoch["steps"] for epoch in epochs] == EPOCHS * [2]
    content = torch.load(tmp_path / "1.pt", weights_only=True)
    assert list(content["data"]["training"]) == ["case-0"]


def test_a_training_may_simulate_cases(cases, tmp_path, monkeypatch):
    monkeypatch.setattr(simulation, "SIMULATOR", str(REPOSITORY / "tests/support/stub_simulator.py"))
    simulated = {"settings": {**NORMALISATION, "spacing_mm": [8, 8, 8]}, "code": "c"}
    train(cases, tmp_path, 1, simulated=simulated, batch_size=2, synthetic_fraction=0.5, synthetic_cases=None)
    content = torch.load(tmp_path / "1.pt", weights_only=True)
    assert content["data"]["simulated"] == simulated


def test_configured_steps_stay():
    assert with_equal_steps(recipe(steps_per_epoch=7), 100).training.steps_per_epoch == 7
    assert with_equal_steps(recipe(batch_size=2), 5).training.steps_per_epoch == 3


def test_a_case_without_training_data_is_refused(cases):
    with pytest.raises(UserError, match=r"case-2: this case is not in the training data of fold 0; delete results"):
        subset_data(make_fold_data(cases[:2], cases[2:]), ["case-0", "case-2"])


@pytest.fixture
def model(tmp_path):
    """A model of a point, trained on the case a, with its record."""
    network = random_network()
    path = tmp_path / "model/fold-0.safetensors"
    write_model(path, network, model_card(network.architecture))
    record = path.with_suffix(".json")
    write_training_record(record, CurvePoint("random", 1, 1), 0, path, cases=["a"], steps=4, start_from=None)
    return path


def test_the_held_out_cases_are_segmented_and_recorded(model, tmp_path):
    write_random_case(tmp_path / "normalised/a.safetensors")
    write_random_case(tmp_path / "normalised/b.safetensors", seed=1)
    splits = [FoldAssignment("a", "a", -1), FoldAssignment("b", "b", 0)]
    write_splits(tmp_path / "splits.tsv", splits)
    data = write_listed_data(tmp_path / "data.json", tmp_path / "normalised", splits, 0)
    folder = tmp_path / "predictions/fold-0"
    options = ["--model", model, "--training", model.with_suffix(".json"), "--normalised", tmp_path / "normalised"]
    options += ["--data", data, "--splits", tmp_path / "splits.tsv", "--fold", 0]
    options += ["--settings", json.dumps({"prediction": PREDICTION, "execution": EXECUTION})]
    options += ["--output", folder, "--record", tmp_path / "predictions/fold-0.json"]
    learning_curve_prediction.main([*map(str, options)])
    (mask,) = recorded_masks([folder]).values()
    assert mask.path == folder / "b.nii.gz"


def test_a_model_that_was_trained_on_a_held_out_case_is_refused(model):
    with pytest.raises(UserError, match=r"this model was trained on a, which fold 0 holds out; delete .*model"):
        read_curve_model(model, model.with_suffix(".json"), 0, ["a", "b"])


def test_a_replaced_model_is_refused(model):
    model.write_bytes(model.read_bytes() + b"0")
    with pytest.raises(UserError, match="this is not the model that"):
        read_curve_model(model, model.with_suffix(".json"), 0, ["b"])


@pytest.mark.parametrize("base_channels", [4, 2])
def test_the_start_model_as_it_is_is_copied_if_it_fits(tmp_path, base_channels, capsys):
    network = random_network()
    write_model(tmp_path / "start.safetensors", network, model_card(network.architecture))
    splits = [FoldAssignment("a", "a", -1), FoldAssignment("b", "b", 0)]
    for row in splits:
        write_random_case(tmp_path / f"normalised/{row.case}.safetensors")
    data = write_listed_data(tmp_path / "data.json", tmp_path / "normalised", splits, 0)
    digest, out, record = (
        sha256(tmp_path / "start.safetensors"),
        tmp_path / "model.safetensors",
        tmp_path / "record.json",
    )
    options = ["--normalised", tmp_path / "normalised", "--data", data, "--fold", 0, "--task", TASK.name]
    options += ["--network", json.dumps({"name": "unet", "base_channels": base_channels, "depth": 3})]
    options += ["--start-from", tmp_path / "start.safetensors", "--digest", digest]
    options += ["--plan", json.dumps({"records": [str(record), "another.json"]}), "--model", out, "--record", record]
    if architecture(base_channels) != network.architecture:
        with pytest.raises(SystemExit):
            learning_curve_start_model.main([*map(str, options)])
        assert "training.start_from" in capsys.readouterr().err
        return
    learning_curve_start_model.main([*map(str, options)])
    assert sha256(out) == digest
    assert read_json(record)["training_cases"] == []
    assert "1 of 2 models of the learning curve done, 1 left" in capsys.readouterr().err
