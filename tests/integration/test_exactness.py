"""The same training gives the same bits, whatever came between."""

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow
from tumorseg.io.digests import sha256
from tumorseg.training.checkpoint import load_checkpoint

CHECKPOINTS = "training/fold-0/epoch-{:04d}.pt"


def untrained(finished: Workflow, folder: Path) -> Workflow:
    """The finished run with its cases and splits, and nothing after them."""
    run = finished.copy(folder)
    for name in ("training", "model", "predictions", "evaluation", "figures", "logs/train_epoch"):
        shutil.rmtree(run.results / name)
    return run


def train(run: Workflow, epochs: int, *options: str) -> None:
    run.configure({"training": {"epochs": epochs, "steps_per_epoch": 30}})
    completed = run.run("train", options=options)
    assert completed.returncode == 0, completed.stdout[-4000:]


@pytest.fixture(scope="module")
def digests(finished, tmp_path_factory):
    """Digests of the four checkpoints of a training at once."""
    run = untrained(finished, tmp_path_factory.mktemp("at once") / "run")
    train(run, 4)
    return checkpoints(run)


def wait_for(run: Workflow, process: subprocess.Popen, epoch: int) -> None:
    """Wait until the running workflow is in the middle of an epoch."""
    log = run.results / f"logs/train_epoch/fold-0-epoch-{epoch:04d}.log"
    deadline = time.monotonic() + 120
    while not (log.exists() and "steps an epoch" in log.read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def checkpoints(run: Workflow) -> list[str]:
    return [sha256(run.results / CHECKPOINTS.format(epoch)) for epoch in range(1, 5)]


def test_a_second_training_from_nothing_has_the_same_bits(digests, finished, tmp_path):
    run = untrained(finished, tmp_path / "another place")
    train(run, 4)
    assert checkpoints(run) == digests


def test_more_epochs_later_are_as_many_at_once(digests, finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    train(run, 2)
    train(run, 4)
    assert checkpoints(run) == digests


def test_a_training_killed_in_the_middle_of_an_epoch_goes_on_to_the_same_bits(digests, finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    run.configure({"training": {"epochs": 4, "steps_per_epoch": 30}})
    process = subprocess.Popen(
        run.command("train"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_for(run, process, epoch=3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (run.results / CHECKPOINTS.format(3)).exists()
    kept = sha256(run.results / CHECKPOINTS.format(2))
    assert run.run(options=("--unlock",)).returncode == 0
    train(run, 4, "--rerun-incomplete")
    assert sha256(run.results / CHECKPOINTS.format(2)) == kept
    assert checkpoints(run) == digests


def test_a_second_run_at_the_same_time_is_refused_and_harms_nothing(digests, finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    run.configure({"training": {"epochs": 4, "steps_per_epoch": 30}})
    first = subprocess.Popen(run.command("train"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(run, first, epoch=1)
    second = run.run("train")
    assert first.poll() is None
    assert second.returncode != 0
    # Which of the two it says first depends on what the first run is about.
    assert "Directory cannot be locked" in second.stdout or "Incomplete files" in second.stdout
    assert first.wait() == 0
    assert checkpoints(run) == digests


def test_a_checkpoint_that_may_not_be_written_whole_is_told_and_the_one_before_stays(finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    train(run, 1)
    kept = sha256(run.results / CHECKPOINTS.format(1))
    run.configure({"training": {"epochs": 2, "steps_per_epoch": 30}})
    room = (run.results / CHECKPOINTS.format(1)).stat().st_size // 2
    completed = subprocess.run(
        run.command("train"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),  # no file may be larger
    )
    assert completed.returncode != 0
    assert re.search(r"epoch-0002\.pt: cannot be written \(File too large\); raise the limit", completed.stdout)
    assert sha256(run.results / CHECKPOINTS.format(1)) == kept
    assert [path.name for path in sorted((run.results / "training/fold-0").glob("*epoch-0002*"))] == []


def test_the_resource_gpu_says_how_many_processes_train(finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    train(run, 1, "--set-resources", "train_epoch:gpu=2")
    content = load_checkpoint(run.results / CHECKPOINTS.format(1))
    assert content["execution"] == "cpu fp32 in 2 processes"
