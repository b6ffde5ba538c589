"""Training is bit-identical, also after interruptions and with epochs added later."""

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

pytestmark = pytest.mark.slow

CHECKPOINTS = "training/fold-0/epoch-{:04d}.pt"


def untrained(finished: Workflow, folder: Path) -> Workflow:
    """Copy the finished run without training and later results."""
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
    """Digests of four checkpoints, trained in one run."""
    run = untrained(finished, tmp_path_factory.mktemp("one run") / "run")
    train(run, 4)
    return checkpoint_digests(run)


def wait_for(run: Workflow, process: subprocess.Popen, epoch: int) -> None:
    """Wait until the workflow trains an epoch."""
    log = run.results / f"logs/train_epoch/fold-0-epoch-{epoch:04d}.log"
    deadline = time.monotonic() + 120
    while not (log.exists() and "steps an epoch" in log.read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def checkpoint_digests(run: Workflow) -> list[str]:
    return [sha256(run.results / CHECKPOINTS.format(epoch)) for epoch in range(1, 5)]


def test_a_second_training_is_bit_identical(digests, finished, tmp_path):
    run = untrained(finished, tmp_path / "another folder")
    train(run, 4)
    assert checkpoint_digests(run) == digests


@pytest.mark.release
def test_epochs_added_later_are_bit_identical(digests, finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    train(run, 2)
    train(run, 4)
    assert checkpoint_digests(run) == digests


@pytest.mark.release
def test_a_training_that_was_killed_during_an_epoch_is_bit_identical(digests, finished, tmp_path):
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
    assert checkpoint_digests(run) == digests


@pytest.mark.release
def test_a_simultaneous_second_run_is_refused_and_changes_nothing(digests, finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    run.configure({"training": {"epochs": 4, "steps_per_epoch": 30}})
    first = subprocess.Popen(run.command("train"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(run, first, epoch=1)
    second = run.run("train")
    assert first.poll() is None
    assert second.returncode != 0
    # Snakemake reports either, depending on the progress of the first run.
    assert "Directory cannot be locked" in second.stdout or "Incomplete files" in second.stdout
    assert first.wait() == 0
    assert checkpoint_digests(run) == digests


def test_a_failed_write_of_a_checkpoint_is_reported_and_keeps_the_previous_one(finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    train(run, 1)
    kept = sha256(run.results / CHECKPOINTS.format(1))
    run.configure({"training": {"epochs": 2, "steps_per_epoch": 30}})
    size_limit = (run.results / CHECKPOINTS.format(1)).stat().st_size // 2
    completed = subprocess.run(
        run.command("train"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size_limit, size_limit)),
    )
    assert completed.returncode != 0
    assert re.search(r"epoch-0002\.pt: cannot be written \(File too large\); raise the limit", completed.stdout)
    assert sha256(run.results / CHECKPOINTS.format(1)) == kept
    assert [path.name for path in sorted((run.results / "training/fold-0").glob("*epoch-0002*"))] == []


@pytest.mark.release
def test_the_resource_gpu_sets_the_number_of_training_processes(finished, tmp_path):
    run = untrained(finished, tmp_path / "run")
    train(run, 1, "--set-resources", "train_epoch:gpu=2")
    content = load_checkpoint(run.results / CHECKPOINTS.format(1))
    assert content["execution"] == "cpu fp32 in 2 processes"
