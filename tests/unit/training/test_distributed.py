"""Two processes over gloo, as torchrun starts them, against one process with the same batches."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from tests.support.builders import REPOSITORY, make_fold_data, recipe, write_random_case
from tumorseg.errors import UserError
from tumorseg.preprocessing.fold_data import write_fold_data
from tumorseg.training.checkpoint import load_checkpoint
from tumorseg.training.distributed import local_batch_size, local_shard
from tumorseg.training.settings import Recipe

LATE = """
import torch
from tumorseg.training.distributed import process_group
with process_group(torch.device("cpu")):
    print("went on")
"""
TOLERANCE = 1e-4
"""Of losses. Sums that are taken in another order differ in the last bits, and steps carry that on."""


@pytest.fixture
def cohort(tmp_path) -> Path:
    for number in range(5):
        write_random_case(tmp_path / f"normalised/case-{number}.safetensors", shape=(20, 18, 16), seed=number)
    paths = sorted((tmp_path / "normalised").iterdir())
    write_fold_data(tmp_path / "data.json", make_fold_data(paths[:3], paths[3:]))
    return tmp_path


def command_of(cohort: Path, settings: Recipe, processes: int) -> list[str]:
    """The script of the rule train_epoch, up to the second epoch, in so many processes."""
    command = [sys.executable, str(REPOSITORY / "scripts/train_epoch.py")]
    command += ["--normalised", str(cohort / "normalised"), "--data", str(cohort / "data.json")]
    command += [
        "--task",
        settings.task.to_json(),
        "--fold",
        "0",
        "--epoch",
        "2",
        "--processes",
        str(processes),
        "--log",
        str(cohort / f"{processes}.log"),
    ]
    content = settings.as_dict()
    described = json.dumps(
        {
            "model": {key: value for key, value in content["architecture"].items() if key != "channels"},
            "training": content["training"],
        }
    )
    command += ["--recipe", described, "--output", str(cohort / f"in-{processes}/epoch-0002.pt")]
    return command


def train(cohort: Path, settings: Recipe, processes: int) -> subprocess.CompletedProcess[str]:
    command = command_of(cohort, settings, processes)
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_two_processes_train_as_one_does_with_the_same_batches(cohort, norm):
    everything = {"gradient_checkpointing": True, "weight_averaging": 0.9, "gradient_clip": 1.0}
    settings = recipe(
        model={"norm": norm, "deep_supervision": norm == "instance"},
        batch_size=2,
        steps_per_epoch=4,
        epochs_per_checkpoint=2,
        augmentation=["flip", "noise"],
        **(everything if norm == "batch" else {}),
    )
    for processes in (1, 2):
        completed = train(cohort, settings, processes)
        assert completed.returncode == 0, completed.stdout
    one, two = (load_checkpoint(cohort / f"in-{processes}/epoch-0002.pt") for processes in (1, 2))
    assert (one["execution"], two["execution"]) == ("cpu fp32", "cpu fp32 in 2 processes")
    for alone, together in zip(one["history"], two["history"], strict=True):
        assert together == pytest.approx(alone, rel=TOLERANCE)
    alone, together = (torch.cat([tensor.flatten() for tensor in run["weights"].values()]) for run in (one, two))
    assert (together - alone).norm() < 1e-3 * alone.norm()
    # Only the first process writes and speaks.
    assert completed.stdout.count("epoch 2: loss") == 1
    assert sorted(path.name for path in (cohort / "in-2").iterdir()) == ["epoch-0002.json", "epoch-0002.pt"]


def test_a_process_whose_launcher_is_gone_before_it_joins_ends():
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts"), "WORLD_SIZE": "2", "LAUNCHER_PROCESS": "1"}
    process = subprocess.run([sys.executable, "-c", LATE], env=environment, stdout=subprocess.PIPE, check=False)
    assert (process.returncode, process.stdout) == (1, b"")


def test_an_error_in_one_process_ends_all_in_its_own_words(cohort):
    damaged = cohort / "normalised/case-1.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    completed = train(cohort, recipe(batch_size=2), 2)
    assert completed.returncode == 1
    assert completed.stdout.count("case-1.safetensors: this normalised case is corrupted") == 1
    assert "Traceback" not in completed.stdout
    assert not (cohort / "in-2").exists()


def test_a_batch_that_cannot_be_shared_out_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert local_batch_size(4) == 2
    with pytest.raises(UserError, match=r"training\.batch_size 3 cannot be divided .* among 2 .* set it to 4"):
        local_batch_size(3)


def test_each_process_takes_items_of_its_own(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    taken = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        taken.append(local_shard("abcde"))
    assert taken == ["ace", "bd"]


@pytest.mark.parametrize(("killed", "told"), [(signal.SIGKILL, None), (signal.SIGINT, "interrupted")])
def test_processes_end_with_the_one_that_started_them(cohort, killed, told):
    settings = recipe(batch_size=2, steps_per_epoch=100_000)
    said = cohort / "said.txt"
    with said.open("w") as stream:
        command = command_of(cohort, settings, 2)
        launcher = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
    log, deadline = cohort / "2.log", time.monotonic() + 60
    while not (log.exists() and "steps an epoch" in log.read_text()):
        assert launcher.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = psutil.Process(launcher.pid).children()
    assert len(workers) == 2
    os.killpg(launcher.pid, killed)
    launcher.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
    assert "Traceback" not in said.read_text()
    assert told is None or told in said.read_text()
