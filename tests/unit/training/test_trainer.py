import json

import pytest
import torch

from tests.support.builders import TASK, make_fold_data, recipe, write_random_case
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import DeviceMemoryError
from tumorseg.task import load_task
from tumorseg.training.checkpoint import probe
from tumorseg.training.selection import history_table, load_trained_network
from tumorseg.training.trainer import start_state, train_until
from tumorseg.training.verification import checkpoint_problems

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = Execution(torch.device("cpu"), torch.float32)


def train(cases, folder, *epochs, settings=None):
    """Train up to each of `epochs` in a separate job, as the workflow does; return the last checkpoint."""
    previous, last, settings = None, 0, settings or recipe()
    for epoch in epochs:
        state = start_state(settings, make_fold_data(cases[:2], cases[2:]), CPU, previous, last)
        previous, last = folder / f"epoch-{epoch:04d}.pt", epoch
        train_until(
            epoch,
            state,
            data=make_fold_data(cases[:2], cases[2:]),
            training_cases=cases[:2],
            held_out_cases=cases[2:],
            execution=CPU,
            checkpoint=previous,
        )
    return previous


def test_training_lowers_the_loss(cases, tmp_path):
    folder = tmp_path / "fold-0"
    train(cases, folder, 1, 2, 3, 4, 5, settings=recipe(base_channels=4, steps_per_epoch=6))
    losses = history_table([folder / f"epoch-{epoch:04d}.pt" for epoch in range(1, 6)], TASK)["train_loss"]
    assert losses.iloc[-1] < 0.9 * losses.iloc[0]


def test_a_training_in_three_jobs_equals_that_in_one_job(cases, tmp_path):
    one = train(cases, tmp_path / "one", 3)
    three = train(cases, tmp_path / "three", 1, 2, 3)
    assert sha256(one) == sha256(three)


def test_augmentation_changes_the_training_reproducibly(cases, tmp_path):
    settings = recipe(augmentation=["flip", "affine", "noise"])
    plain, once, twice = (
        sha256(train(cases, tmp_path / name, *epochs, settings=which))
        for name, epochs, which in (("plain", [2], recipe()), ("once", [2], settings), ("twice", [1, 2], settings))
    )
    assert once == twice != plain


def test_each_batch_for_a_gpu_is_pinned(cases, tmp_path, monkeypatch):
    pinned = []
    monkeypatch.setattr(Execution, "pins_batches", True)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor) or tensor)
    train(cases, tmp_path, 1, settings=recipe(steps_per_epoch=3))
    assert len(pinned) == 3 * 2  # images and masks


def test_a_training_step_without_enough_memory_is_explained(cases, tmp_path, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("tumorseg.training.trainer.train_step", fail)
    with pytest.raises(DeviceMemoryError, match=r"set training\.gradient_checkpointing to true"):
        train(cases, tmp_path, 1)
    assert list(tmp_path.glob("*.pt")) == []


def test_a_validation_without_enough_memory_names_the_case(cases, tmp_path, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("tumorseg.training.epoch_validation.logits_of", fail)
    with pytest.raises(UserError, match=rf"{cases[2].name}: validating .* lower model\.base_channels"):
        train(cases, tmp_path, 1)


def test_another_seed_gives_another_training(cases, tmp_path):
    first, second = (train(cases, tmp_path / str(seed), 1, settings=recipe(seed=seed)) for seed in (1, 2))
    assert sha256(first) != sha256(second)


def test_an_invalid_previous_checkpoint_stops_the_training(cases, tmp_path):
    previous = train(cases, tmp_path, 1)
    previous.write_bytes(previous.read_bytes()[:-1])
    with pytest.raises(
        UserError,
        match=r"epoch-0001\.pt: cannot continue from this checkpoint: it .*Delete .*epoch-0001\.pt and run again",
    ):
        start_state(recipe(), make_fold_data(cases[:2], cases[2:]), CPU, previous, 1)


def test_a_training_continues_only_with_the_same_execution(cases, tmp_path):
    previous = train(cases, tmp_path, 1)
    other = Execution(torch.device("cpu"), torch.float16)
    with pytest.raises(UserError, match="began on cpu fp32 and would continue on cpu fp16"):
        start_state(recipe(), make_fold_data(cases[:2], cases[2:]), other, previous, 1)


def test_a_training_continues_only_with_the_same_cases(cases, tmp_path):
    previous = train(cases, tmp_path, 1)
    with pytest.raises(UserError, match=r"epoch-0001\.pt: .*was trained on another split: .*Delete .*epoch-0001\.pt"):
        start_state(recipe(), make_fold_data(cases[1:], cases[:1]), CPU, previous, 1)


def test_a_checkpoint_from_the_shared_cache_with_another_execution_must_not_be_fetched_again(cases, tmp_path):
    cached = train(cases, tmp_path / "cache", 1)
    previous = tmp_path / cached.name
    previous.symlink_to(cached)
    previous.with_suffix(".json").symlink_to(cached.with_suffix(".json"))
    other = Execution(torch.device("cpu"), torch.float16)
    with pytest.raises(UserError, match="to train again without --cache"):
        start_state(recipe(), make_fold_data(cases[:2], cases[2:]), other, previous, 1)


def test_a_non_finite_network_is_not_saved(cases, tmp_path):
    with pytest.raises(
        UserError, match=r"after epoch 1 the network holds NaN or infinity.*lower training\.learning_rate"
    ):
        train(cases, tmp_path / "fold-0", 1, settings=recipe(learning_rate=1e36, steps_per_epoch=1))
    assert not (tmp_path / "fold-0").exists()


def test_a_corrupted_training_case_stops_the_training_before_its_first_step(cases, tmp_path):
    content = bytearray(cases[0].read_bytes())
    content[-1] ^= 1
    cases[0].write_bytes(content)
    with pytest.raises(UserError, match=r"case-0\.safetensors: this normalised case is corrupted"):
        train(cases, tmp_path, 1)


def test_the_learning_rate_follows_its_schedule_across_jobs(cases, tmp_path):
    settings = recipe(schedule="polynomial", schedule_epochs=4)
    one = train(cases, tmp_path / "one", 3, settings=settings)
    three = train(cases, tmp_path / "three", 1, 2, 3, settings=settings)
    assert sha256(one) == sha256(three)
    rates = history_table([one], TASK)["learning_rate"].tolist()
    assert rates == sorted(rates, reverse=True)
    assert rates[2] == pytest.approx(0.01 * (1 - 2.5 / 4) ** 0.9)  # at the second of two steps


def test_only_the_rows_of_an_unreadable_record_are_missing(cases, tmp_path):
    train(cases, tmp_path, 1, 2)
    (tmp_path / "epoch-0001.json").write_text("{")
    table = history_table([tmp_path / "epoch-0001.pt", tmp_path / "epoch-0002.pt"], TASK)
    assert table["epoch"].tolist() == [2]
    assert table.columns[0] == "epoch"


def test_without_any_record_the_history_is_empty(tmp_path):
    assert history_table([tmp_path / "epoch-0001.pt"], TASK).empty


def test_seconds_are_in_the_record_but_not_in_the_checkpoint(cases, tmp_path):
    checkpoint = train(cases, tmp_path, 1)
    record = json.loads(checkpoint.with_suffix(".json").read_text())
    assert record["seconds"] > 0
    assert b"seconds" not in checkpoint.read_bytes()


def test_patches_with_wrong_bf16_gradients_are_refused():
    execution = Execution(torch.device("cpu"), torch.bfloat16)
    with pytest.raises(UserError, match=r"training\.input_shape has a side of 16, .* set it to 24 or more"):
        start_state(recipe(precision="bf16"), make_fold_data(), execution, None, 0)


def test_steps_skipped_by_the_scaler_are_logged_and_in_the_history(cases, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("tumorseg.cli.console.logger.propagate", True)
    half = Execution(torch.device("cpu"), torch.float16)
    state = start_state(recipe(precision="fp16", steps_per_epoch=1), make_fold_data(), half, None, 0)
    state.scaler.load_state_dict({**state.scaler.state_dict(), "scale": 2.0**100})  # every gradient overflows
    options = {"data": make_fold_data(), "training_cases": cases[:2], "held_out_cases": cases[2:], "execution": half}
    with caplog.at_level("INFO"):
        train_until(1, state, checkpoint=tmp_path / "epoch-0001.pt", **options)
    assert "epoch 1: the gradient scaler skipped 1 of 1 steps" in caplog.text
    assert history_table([tmp_path / "epoch-0001.pt"], TASK)["skipped_steps"].tolist() == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {"ema_decay": 0.9},
        {"model": {"deep_supervision": True, "down_sampling": "stride"}},
        {"model": {"name": "residual_unet", "depth": 2}},
    ],
)
def test_every_kind_of_training_is_the_same_in_three_jobs_and_can_be_verified_and_exported(cases, tmp_path, changes):
    settings = recipe(**changes)
    one = train(cases, tmp_path / "one", 3, settings=settings)
    three = train(cases, tmp_path / "three", 1, 2, 3, settings=settings)
    assert sha256(one) == sha256(three)
    assert checkpoint_problems(three, settings, make_fold_data(cases[:2], cases[2:]), 3) == []
    trained = load_trained_network(three, sha256(three), TASK)
    assert (trained.architecture, trained.execution) == (settings.architecture, "cpu fp32")
    assert trained.split == make_fold_data(cases[:2], cases[2:]).split
    assert trained.patches == 3 * 2  # each case once per epoch
    assert probe(trained.network) == json.loads(three.with_suffix(".json").read_text())["probe"]


def test_every_step_and_epoch_is_written_for_tensorboard(cases, tmp_path):
    settings = recipe(steps_per_epoch=2)
    state = start_state(settings, make_fold_data(), CPU, None, 0)
    options = {"data": make_fold_data(), "training_cases": cases[:2], "held_out_cases": cases[2:], "execution": CPU}
    train_until(2, state, checkpoint=tmp_path / "epoch-0002.pt", tensorboard_folder=tmp_path / "events", **options)
    written = b"".join(path.read_bytes() for path in (tmp_path / "events").glob("events.out.tfevents.*"))
    assert written.count(b"step/loss") == 4
    assert written.count(b"epoch/validation_dice") == 2


@pytest.mark.parametrize("name", ["brats-meningioma-radiotherapy", "brats-glioma-post-treatment"])
def test_every_task_is_trained_with_its_channels_labels_and_regions(name, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("tumorseg.cli.console.logger.propagate", True)
    task = load_task(name)
    cases = [write_random_case(tmp_path / f"case-{seed}.safetensors", seed=seed, task=task) for seed in range(3)]
    with caplog.at_level("INFO"):
        checkpoint = train(cases, tmp_path, 1, settings=recipe(task=task, foreground_fraction=1))
    (row,) = history_table([checkpoint], task).to_dict("records")
    assert {f"dice_{structure}" for structure in task.structures} <= row.keys()
    assert (
        "held-out Dice " + ", ".join(f"{region} {row[f'dice_{region}']:.3f}" for region in task.region_labels)
        in caplog.text
    )
    network = load_trained_network(checkpoint, sha256(checkpoint), task).network
    assert (network.architecture.channels, network.architecture.classes) == (len(task.channels), task.classes)
    with pytest.raises(UserError, match=f"trained for the task {name}, not brats-glioma"):
        load_trained_network(checkpoint, sha256(checkpoint), TASK)
