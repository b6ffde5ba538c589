import random
from dataclasses import replace

import pytest
import torch

from tests.support.builders import TASK, recipe
from tumorseg.io.digests import sha256
from tumorseg.io.files import read_json, write_json
from tumorseg.networks.devices import Execution
from tumorseg.preprocessing.fold_data import FoldData
from tumorseg.task import load_task
from tumorseg.training.checkpoint import TrainingState, checkpoint_record_path, load_checkpoint, save_checkpoint
from tumorseg.training.verification import checkpoint_problems

CPU = Execution(torch.device("cpu"), torch.float32)


DATA = FoldData(0, {"a": "1", "b": "2"}, {"c": "3"})


def saved(path, **changes):
    state = TrainingState.initial(recipe(**changes), 0, CPU)
    for parameter in state.network.parameters():
        parameter.grad = torch.ones_like(parameter)
    state.optimizer.step()  # gives the optimizer a state to save
    state.epoch, state.history = 1, [{"epoch": 1, "train_loss": 0.5}]
    save_checkpoint(path, state, DATA, state.history, seconds=1.0)
    return state


def codes(path, fold=0, epoch=1, **changes):
    return [problem.code for problem in checkpoint_problems(path, recipe(**changes), replace(DATA, fold=fold), epoch)]


@pytest.fixture
def checkpoint(tmp_path):
    saved(tmp_path / "epoch-0001.pt")
    return tmp_path / "epoch-0001.pt"


def rewrite(path, content):
    """Replace the content of a checkpoint, and its digest in the record."""
    torch.save(content, path)
    write_json(checkpoint_record_path(path), read_json(checkpoint_record_path(path)) | {"digest": sha256(path)})


def test_a_valid_checkpoint_is_accepted(checkpoint):
    assert codes(checkpoint) == []


def test_equal_states_give_equal_bytes(tmp_path):
    saved(tmp_path / "a.pt")
    saved(tmp_path / "another-name.pt")
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another-name.pt").read_bytes()


def test_a_restored_state_equals_the_saved_one(tmp_path):
    state = saved(tmp_path / "a.pt")
    restored = TrainingState.initial(recipe(), 0, CPU)
    restored.load_state_dict(load_checkpoint(tmp_path / "a.pt"))
    save_checkpoint(tmp_path / "b.pt", restored, DATA, restored.history, seconds=2.0)
    assert sha256(tmp_path / "b.pt") == sha256(tmp_path / "a.pt")
    assert restored.epoch == state.epoch


def test_no_temporary_file_remains(checkpoint):
    assert sorted(path.name for path in checkpoint.parent.iterdir()) == ["epoch-0001.json", "epoch-0001.pt"]


def test_a_missing_file_is_refused(tmp_path):
    assert codes(tmp_path / "epoch-0001.pt") == ["missing"]


def test_an_empty_file_is_refused(checkpoint):
    checkpoint.write_bytes(b"")
    assert codes(checkpoint) == ["empty"]


def test_a_truncated_file_is_refused(checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    assert codes(checkpoint) == ["digest_mismatch"]


def test_one_flipped_bit_anywhere_is_refused(checkpoint):
    valid = checkpoint.read_bytes()
    for bit in random.Random(0).sample(range(8 * len(valid)), 250):
        corrupted = bytearray(valid)
        corrupted[bit // 8] ^= 1 << bit % 8
        checkpoint.write_bytes(corrupted)
        assert codes(checkpoint) == ["digest_mismatch"]


def test_a_checkpoint_without_its_record_is_refused(checkpoint):
    checkpoint_record_path(checkpoint).unlink()
    assert codes(checkpoint) == ["no_record"]


def test_the_checkpoint_of_another_network_is_refused(checkpoint):
    assert codes(checkpoint, base_channels=3) == ["wrong_recipe"]


def test_a_checkpoint_without_a_later_setting_is_valid_for_its_default(checkpoint):
    content = load_checkpoint(checkpoint)
    del content["recipe"]["training"]["weight_decay"]
    rewrite(checkpoint, content)
    assert codes(checkpoint) == []
    assert codes(checkpoint, weight_decay=0.1) == ["wrong_recipe"]


def test_another_configuration_is_refused_and_its_key_named(checkpoint):
    (problem,) = checkpoint_problems(checkpoint, recipe(learning_rate=0.5), DATA, 1)
    assert "training.learning_rate: 0.01 instead of 0.5" in problem.message


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("brats-glioma-post-treatment", "its labels are 1, 2, 4 instead of 1, 2, 3, 4"),
        ("brats-meningioma-radiotherapy", "its channels are t1, t1ce, t2, flair instead of t1ce"),
    ],
)
def test_the_checkpoint_of_another_task_is_refused_and_both_tasks_named(checkpoint, name, difference):
    (problem,) = checkpoint_problems(checkpoint, recipe(task=load_task(name)), DATA, 1)
    assert problem.code == "wrong_task"
    assert problem.message == f"was trained for the task brats-glioma, not {name} ({difference})"


@pytest.mark.parametrize("label_map", [None, {1: 2, 2: 1, 3: 4}])
def test_the_name_of_the_task_does_not_matter_but_its_label_map_does(checkpoint, label_map):
    task = replace(TASK, name="mine", title="The same in other words")
    assert codes(checkpoint, task=task.with_label_map(label_map) if label_map else task) == (
        ["wrong_task"] if label_map else []
    )


@pytest.mark.parametrize(
    "task", [{}, 5, {"name": "x"}, {"name": "x", "facts": 3}, {"name": "x", "facts": {"labels": 1}}]
)
def test_a_checkpoint_with_a_malformed_task_is_refused(checkpoint, task):
    rewrite(checkpoint, load_checkpoint(checkpoint) | {"task": task})
    assert codes(checkpoint) in (["wrong_content"], ["wrong_task"])


@pytest.mark.parametrize("expected", [{"fold": 1}, {"epoch": 2}])
def test_the_checkpoint_of_another_fold_or_epoch_is_refused(checkpoint, expected):
    assert codes(checkpoint, **expected) == ["wrong_content"]


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (
            FoldData(0, {"a": "1", "c": "3"}, {"b": "2"}),
            "wrong_split",
            "1 training case added (b), 1 training case missing (c)",
        ),
        (
            FoldData(0, {"a": "1"}, {"b": "2", "c": "3"}),
            "wrong_split",
            "1 training case added (b), 1 held-out case missing (b)",
        ),
        (
            FoldData(0, {"x": "1", "y": "2", "z": "1"}, {"c": "3"}),
            "wrong_split",
            "3 training cases missing (such as x)",
        ),
        (FoldData(0, {"a": "1", "b": "9"}, {"c": "3"}), "wrong_data", "normalised data: 1 case changed (b)"),
        (FoldData(0, {"a": "9", "b": "9"}, {"c": "9"}), "wrong_data", "3 cases changed (such as a)"),
    ],
)
def test_the_checkpoint_of_other_cases_or_data_is_refused_and_one_case_named(checkpoint, data, code, message):
    (problem,) = checkpoint_problems(checkpoint, recipe(), data, 1)
    assert problem.code == code
    assert message in problem.message


@pytest.mark.parametrize("data", [{}, 5, {"training": 3, "held_out": {}}, {"training": {}, "held_out": [{}]}])
def test_a_checkpoint_with_malformed_data_is_refused(checkpoint, data):
    rewrite(checkpoint, load_checkpoint(checkpoint) | {"data": data})
    assert codes(checkpoint) in (["wrong_content"], ["wrong_split"])


def test_a_checkpoint_of_an_earlier_format_is_refused(checkpoint):
    rewrite(checkpoint, load_checkpoint(checkpoint) | {"format": 1})
    (problem,) = checkpoint_problems(checkpoint, recipe(), DATA, 1)
    assert (problem.code, "format 1 instead of 4" in problem.message) == ("wrong_format", True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_non_finite_values_are_refused_by_name(checkpoint, bad):
    content = load_checkpoint(checkpoint)
    content["optimizer"]["state"][0]["exp_avg"][1, 2, 0, 1, 2] = bad
    rewrite(checkpoint, content)
    (problem,) = checkpoint_problems(checkpoint, recipe(), DATA, 1)
    assert problem.code == "not_finite"
    assert "optimizer.state.0.exp_avg" in problem.message


def test_weights_of_another_shape_are_refused(checkpoint):
    content = load_checkpoint(checkpoint)
    content["weights"]["head.weight"] = torch.zeros(1)
    rewrite(checkpoint, content)
    assert codes(checkpoint) == ["wrong_state"]


def test_weights_that_do_not_reproduce_the_probe_are_refused(checkpoint):
    content = load_checkpoint(checkpoint)
    content["weights"]["heads.0.bias"] += 0.1
    rewrite(checkpoint, content)
    assert codes(checkpoint) == ["probe_mismatch"]


@pytest.mark.parametrize("content", [{"hello": 1}, [1, 2], None, torch.zeros(3)])
def test_a_file_that_is_not_a_checkpoint_is_refused(checkpoint, content):
    rewrite(checkpoint, content)
    assert codes(checkpoint) == ["wrong_content"]


@pytest.mark.parametrize("key", ["recipe", "weights", "optimizer", "history"])
def test_a_checkpoint_with_a_malformed_part_is_refused(checkpoint, key):
    rewrite(checkpoint, load_checkpoint(checkpoint) | {key: 5})
    assert len(codes(checkpoint)) == 1


@pytest.mark.parametrize("record", ["", "{}", "[]", "{", '{"digest": 3}'])
def test_a_checkpoint_with_a_corrupted_record_is_refused(checkpoint, record):
    checkpoint_record_path(checkpoint).write_text(record)
    assert codes(checkpoint) in (["no_record"], ["digest_mismatch"])


def test_a_record_without_a_probe_is_refused(checkpoint):
    record = read_json(checkpoint_record_path(checkpoint))
    del record["probe"]
    write_json(checkpoint_record_path(checkpoint), record)
    assert len(codes(checkpoint)) == 1


@pytest.mark.parametrize(
    "changes", [{"fold": 7}, {"epoch": 9}, {"epochs": []}, {"epochs": [{"epoch": 1, "train_loss": 0.1}]}]
)
def test_the_record_of_another_training_is_refused(checkpoint, changes):
    write_json(checkpoint_record_path(checkpoint), read_json(checkpoint_record_path(checkpoint)) | changes)
    assert codes(checkpoint) == ["no_record"]


def test_an_optimizer_of_another_network_is_refused(checkpoint):
    content = load_checkpoint(checkpoint)
    content["optimizer"]["state"][0]["exp_avg"] = torch.zeros(3)
    rewrite(checkpoint, content)
    assert codes(checkpoint) == ["wrong_state"]


def test_a_learning_rate_of_nan_is_refused(checkpoint):
    content = load_checkpoint(checkpoint)
    content["optimizer"]["param_groups"][0]["lr"] = float("nan")
    rewrite(checkpoint, content)
    assert codes(checkpoint) == ["not_finite"]
