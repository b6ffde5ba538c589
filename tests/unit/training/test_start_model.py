"""Trainings that start from the weights of a model."""

from dataclasses import replace

import pytest
import torch

from tests.support.builders import (
    NORMALISATION,
    TASK,
    architecture,
    make_fold_data,
    model_card,
    recipe,
    trained_on,
    write_random_case,
)
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.networks.training_facts import case_signature
from tumorseg.preprocessing.store import read_case, write_case
from tumorseg.task import load_task
from tumorseg.training.checkpoint import TrainingState, load_checkpoint
from tumorseg.training.selection import load_trained_network
from tumorseg.training.start_model import read_start_model
from tumorseg.training.trainer import start_state, train_until
from tumorseg.training.verification import checkpoint_problems

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = Execution(torch.device("cpu"), torch.float32)


def model_file(folder, signatures=(), task=TASK, normalisation=None, **changes):
    """Write a model with random weights and return its path. normalisation: changed settings of its input."""
    torch.manual_seed(5)
    network = build(architecture(task=task, **changes))
    facts = replace(trained_on(task=task), case_signatures=tuple(signatures))
    settings = {**NORMALISATION, **(normalisation or {})}
    card = model_card(network.architecture, task, trained_on=facts, normalisation=settings)
    write_model(folder / "start.safetensors", network, card)
    return folder / "start.safetensors"


def case_file(path, **digests):
    """Write a normalised case whose raw files have these digests, by role, and return its path."""
    case = read_case(write_random_case(path))
    write_case(path, replace(case, origin=replace(case.origin, files=digests)))
    return path


def read(path, held_out=(), **changes):
    return read_start_model(path, recipe(start_from=sha256(path), **changes), held_out)


def refusal(*arguments, **changes) -> str:
    with pytest.raises(UserError) as caught:
        read(*arguments, **changes)
    return str(caught.value)


def test_without_a_model_a_training_starts_from_random_weights():
    assert read_start_model(None, recipe(), []) is None


@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.9}])
def test_a_training_starts_from_the_weights_of_the_model(tmp_path, changes):
    model = read(model_file(tmp_path), **changes)
    settings = recipe(start_from="ab" * 32, **changes)
    state = start_state(settings, make_fold_data(), CPU, None, 0, start_model=model)
    random = TrainingState.initial(settings, 0, CPU)
    for network in (state.network, state.eval_network):
        weights = network.state_dict()
        assert all(torch.equal(weights[name], tensor) for name, tensor in model.weights.items())
        assert not torch.equal(weights["heads.0.weight"], random.network.heads[0].weight)


def test_a_replaced_model_is_refused(tmp_path):
    path = model_file(tmp_path)
    with pytest.raises(UserError, match=r"start\.safetensors: the file has changed since the run was planned"):
        read_start_model(path, recipe(start_from="ab" * 32), [])


def test_a_model_with_another_network_is_refused_and_both_are_named(tmp_path):
    found = refusal(model_file(tmp_path, norm="instance"), model={"depth": 2})
    assert "model.depth 3 instead of 2, model.norm instance instead of batch" in found


def test_a_model_of_another_task_is_refused_and_both_are_named(tmp_path):
    other = load_task("brats-glioma-post-treatment")
    found = refusal(model_file(tmp_path, task=other))
    assert found.startswith("training.start_from: ")
    assert "of the task brats-glioma-post-treatment, not brats-glioma" in found


def test_a_model_whose_input_is_normalised_in_another_way_is_refused_and_both_are_named(tmp_path):
    held_out = [write_random_case(tmp_path / "a.safetensors")]
    other = {"clip_percentiles": [1, 99], "spacing_mm": [2.0, 2.0, 2.5]}
    found = refusal(model_file(tmp_path, normalisation=other), held_out)
    assert found.startswith("training.start_from: ")
    assert "clip_percentiles [1, 99] instead of [0.5, 99.5], normalisation.spacing_mm [2, 2, 2.5] instead of" in found
    assert "null); set these keys to the model's values" in found


def test_another_margin_around_the_brain_is_allowed(tmp_path):
    held_out = [write_random_case(tmp_path / "a.safetensors")]
    assert read(model_file(tmp_path, normalisation={"margin_voxels": 9}), held_out) is not None


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"training\.start_from: .*none\.safetensors"):
        read_start_model(tmp_path / "none.safetensors", recipe(start_from="ab" * 32), [])


def test_a_model_that_was_trained_on_a_held_out_case_is_refused(tmp_path):
    held_out = [case_file(tmp_path / f"{name}.safetensors", t1=name, seg="1") for name in ("a", "b", "c")]
    known = case_signature({"t1": "b", "seg": "corrected later"}, TASK)
    assert read(model_file(tmp_path, [known]), [held_out[0], held_out[2]]) is not None
    assert "was trained on 1 of the 3 held-out cases, such as b," in refusal(model_file(tmp_path, [known]), held_out)


def test_cases_that_do_not_record_their_raw_files_are_not_compared(tmp_path):
    unknown = case_signature({}, TASK)
    held_out = write_random_case(tmp_path / "a.safetensors")
    assert read(model_file(tmp_path, [unknown]), [held_out]) is not None


def test_a_checkpoint_keeps_the_model_and_its_cases(tmp_path):
    signature = "0123456789abcdef"
    path = model_file(tmp_path, [signature])
    settings = recipe(start_from=sha256(path))
    cases = [write_random_case(tmp_path / f"case-{seed}.safetensors", seed=seed) for seed in range(3)]
    data = make_fold_data(cases[:2], cases[2:])
    options = {"data": data, "training_cases": cases[:2], "held_out_cases": cases[2:], "execution": CPU}
    previous = None
    for epoch in (1, 2):
        checkpoint = tmp_path / f"fold-0/epoch-{epoch:04d}.pt"
        model = None if previous else read_start_model(path, settings, cases[2:])
        state = start_state(settings, data, CPU, previous, epoch - 1, start_model=model)
        train_until(epoch, state, checkpoint=checkpoint, **options)
        previous = checkpoint
    assert load_checkpoint(previous)["recipe"]["training"]["start_from"] == sha256(path)
    assert checkpoint_problems(previous, settings, data, 2) == []
    assert [problem.code for problem in checkpoint_problems(previous, recipe(), data, 2)] == ["wrong_recipe"]
    trained = load_trained_network(previous, sha256(previous), TASK)
    assert (trained.start_from, trained.earlier_signatures) == (sha256(path), (signature,))
