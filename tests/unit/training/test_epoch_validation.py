"""The validation after each epoch; it agrees with the evaluation of the same checkpoint."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

from tests.support.builders import REPOSITORY, TASK, make_fold_data, model_card, recipe, write_random_case
from tumorseg.inference.prediction_files import read_recorded_prediction
from tumorseg.inference.records import RecordedMask, mask_path
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.digests import file_digest, sha256
from tumorseg.metrics.structure_scores import case_scores
from tumorseg.networks.devices import Execution
from tumorseg.networks.model import read_model, write_model
from tumorseg.preprocessing.crop import uncrop
from tumorseg.preprocessing.store import read_case, write_case
from tumorseg.training.checkpoint import TrainingState
from tumorseg.training.epoch_validation import validate
from tumorseg.training.selection import load_trained_network
from tumorseg.training.trainer import start_state, train_until

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = Execution(torch.device("cpu"), torch.float32)
STARTS = ((0, 0, 0), (11, 5, 14), (3, 9, 6))


@pytest.fixture
def cropped_cases(tmp_path):
    """Three normalised cases, cropped from different places of a larger grid with other axes."""
    paths = []
    for number, start in enumerate(STARTS):
        path = write_random_case(tmp_path / f"case-{number}.safetensors", shape=(18, 21, 17), seed=number)
        case = read_case(path)
        crop = tuple((first, first + side) for first, side in zip(start, (18, 21, 17), strict=True))
        affine = tuple(map(tuple, np.diag([1.0, -1.0, -1.0, 1.0]).tolist()))
        write_case(path, replace(case, origin=replace(case.origin, shape=(40, 41, 43), crop=crop, affine=affine)))
        paths.append(path)
    return paths


def evaluate(checkpoint, cases, folder):
    """Return the mean Dice of each structure that predict and evaluate give for the exported model of a checkpoint."""
    trained = load_trained_network(checkpoint, sha256(checkpoint), TASK)
    write_model(folder / "model.safetensors", trained.network, model_card(trained.architecture))
    network, card = read_model(folder / "model.safetensors")
    section = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["prediction"]
    segmenter = Segmenter([network], CPU, section, task=card.task)
    found = []
    for case in map(read_case, cases):
        origin = case.origin
        segmented = segmenter.segment(folder, case.image, origin, None)
        mask = mask_path(folder, origin.case)
        prediction = read_recorded_prediction(
            RecordedMask(mask, 0, file_digest(mask), segmented.written), origin.shape, origin.affine
        )
        reference = uncrop(case.mask, origin)
        scores, _ = case_scores(reference, prediction, (1, 1, 1), task=TASK, surface_tolerance_mm=1)
        found.append({f"dice_{name}": of_structure["dice"] for name, of_structure in scores.items()})
    return {name: np.mean([of_case[name] for of_case in found]) for name in found[0]}


@pytest.mark.parametrize(
    "settings",
    [
        recipe(base_channels=4, steps_per_epoch=3),
        recipe(base_channels=4, steps_per_epoch=3, ema_decay=0.5),
        recipe(model={"name": "residual_unet", "norm": "instance", "deep_supervision": True}, steps_per_epoch=3),
    ],
    ids=["batch norm", "moving average", "instance norm"],
)
def test_validation_and_evaluation_of_a_checkpoint_give_the_same_dice(cropped_cases, tmp_path, settings):
    data = make_fold_data(cropped_cases[:1], cropped_cases[1:])
    checkpoint = tmp_path / "epoch-0002.pt"
    train_until(
        2,
        start_state(settings, data, CPU, None, 0),
        data=data,
        training_cases=cropped_cases[:1],
        held_out_cases=cropped_cases[1:],
        execution=CPU,
        checkpoint=checkpoint,
    )
    last = json.loads(checkpoint.with_suffix(".json").read_text())["epochs"][-1]
    expected = evaluate(checkpoint, cropped_cases[1:], tmp_path)
    assert 0 < expected["dice_WT"] < 1
    assert {name: last[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_validation_is_perfect_for_perfect_logits(cases, monkeypatch):
    masks = {path.stem: torch.from_numpy(read_case(path).mask).long() for path in cases}
    predictions = iter(masks[path.stem] for path in cases)
    monkeypatch.setattr(
        "tumorseg.training.epoch_validation.logits_of",
        lambda *_: 100.0 * torch.nn.functional.one_hot(next(predictions), 5).movedim(-1, 0)[None].float(),
    )
    found = validate(TrainingState.initial(recipe(), 0, CPU).network, cases, CPU, recipe())
    assert found["validation_dice"] == found["dice_WT"] == found["dice_label_4"] == 1
    assert found["validation_loss"] == pytest.approx(0, abs=1e-4)


def test_a_label_that_is_never_predicted_is_a_warning(cases, caplog, monkeypatch):
    monkeypatch.setattr("tumorseg.cli.console.logger.propagate", True)
    network = TrainingState.initial(recipe(), 0, CPU).network
    network.heads[0].weight.data.zero_()
    network.heads[0].bias.data = torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0])
    validate(network, cases, CPU, recipe())
    assert f"label 4 ({TASK.label_titles[4]}) is never predicted" in caplog.text
    assert "label 1" not in caplog.text


def test_validation_changes_neither_weights_nor_mode_of_the_network(cases):
    network = TrainingState.initial(recipe(), 0, CPU).network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    validate(network, cases, CPU, recipe())
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
