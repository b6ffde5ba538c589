"""Two processes over gloo, started by torchrun, compared with one process on the same batches."""

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
from tumorseg.training.recipe import Recipe

pytestmark = pytest.mark.slow

LATE_PROCESS = """
import torch
from tumorseg.training.distributed import process_group
with process_group(torch.device("cpu")):
    print("went on")
"""
TOLERANCE = 1e-4
"""Of losses: sums in another order differ in the last bits, and the difference grows with each step."""


@pytest.fixture
def cohort(tmp_path) -> Path:
    for number in range(5):
        write_random_case(tmp_path / f"normalised/case-{number}.safetensors", shape=(20, 18, 16), seed=number)
    paths = sorted((tmp_path / "normalised").iterdir())
    write_fold_data(tmp_path / "data.json", make_fold_data(paths[:3], paths[3:]))
    return tmp_path


def command_of(cohort: Path, settings: Recipe, processes: int) -> list[str]:
    """Return the command that trains up to the second epoch in several processes."""
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
    recipe_json = json.dumps(
        {
            "model": {key: value for key, value in content["architecture"].items() if key != "channels"},
            "training": content["training"],
        }
    )
    command += ["--recipe", recipe_json, "--output", str(cohort / f"in-{processes}/epoch-0002.pt")]
    return command


def train(cohort: Path, settings: Recipe, processes: int) -> subprocess.CompletedProcess[str]:
    command = command_of(cohort, settings, processes)
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_two_processes_train_like_one_with_the_same_batches(cohort, norm):
    options = {"gradient_checkpointing": True, "ema_decay": 0.9, "gradient_clip": 1.0}
    settings = recipe(
        model={"norm": norm, "deep_supervision": norm == "instance"},
        batch_size=2,
        steps_per_epoch=4,
        epochs_per_checkpoint=2,
        augmentation=["flip", "noise"],
        **(options if norm == "batch" else {}),
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
    # Only the first process writes files and logs.
    assert completed.stdout.count("epoch 2: loss") == 1
    assert sorted(path.name for path in (cohort / "in-2").iterdir()) == ["epoch-0002.json", "epoch-0002.pt"]


def test_a_process_ends_if_its_launcher_dies_before_it_joins():
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts"), "WORLD_SIZE": "2", "LAUNCHER_PROCESS": "1"}
    process = subprocess.run([sys.executable, "-c", LATE_PROCESS], env=environment, stdout=subprocess.PIPE, check=False)
    assert (process.returncode, process.stdout) == (1, b"")


def test_an_error_in_one_process_ends_all_and_is_reported_once(cohort):
    corrupted = cohort / "normalised/case-1.safetensors"
    corrupted.write_bytes(corrupted.read_bytes()[:-1])
    completed = train(cohort, recipe(batch_size=2), 2)
    assert completed.returncode == 1
    assert completed.stdout.count("case-1.safetensors: this normalised case is corrupted") == 1
    assert "Traceback" not in completed.stdout
    assert not (cohort / "in-2").exists()


def test_a_batch_that_cannot_be_divided_evenly_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert local_batch_size(4) == 2
    with pytest.raises(UserError, match=r"training\.batch_size 3 cannot be divided .* among 2 .* set it to 4"):
        local_batch_size(3)


def test_each_process_has_its_own_items(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    items = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        items.append(local_shard("abcde"))
    assert items == ["ace", "bd"]


@pytest.mark.parametrize(("sent", "message"), [(signal.SIGKILL, None), (signal.SIGINT, "interrupted")])
def test_processes_end_with_their_launcher(cohort, sent, message):
    settings = recipe(batch_size=2, steps_per_epoch=100_000)
    output = cohort / "output.txt"
    with output.open("w") as stream:
        command = command_of(cohort, settings, 2)
        launcher = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
    log, deadline = cohort / "2.log", time.monotonic() + 60
    while not (log.exists() and "steps an epoch" in log.read_text()):
        assert launcher.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = psutil.Process(launcher.pid).children()
    assert len(workers) == 2
    os.killpg(launcher.pid, sent)
    launcher.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
    assert "Traceback" not in output.read_text()
    assert message is None or message in output.read_text()
