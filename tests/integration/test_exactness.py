"""The same training gives the same bits, whatever came between."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow
from tumorseg.files import sha256

CHECKPOINTS = "training/fold-0/epoch-{:04d}.pt"


def untrained(finished: Workflow, folder: Path) -> Workflow:
    """The finished run with its cases and splits, and nothing after them."""
    run = finished.copy(folder)
    for name in ("training", "model", "predictions", "evaluation", "figures"):
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
    log = run.results / "logs/train_epoch/fold-0-epoch-0003.log"
    log.unlink(missing_ok=True)
    process = subprocess.Popen(
        run.command("train"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not (log.exists() and "steps an epoch" in log.read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (run.results / CHECKPOINTS.format(3)).exists()
    kept = sha256(run.results / CHECKPOINTS.format(2))
    assert run.run(options=("--unlock",)).returncode == 0
    train(run, 4, "--rerun-incomplete")
    assert sha256(run.results / CHECKPOINTS.format(2)) == kept
    assert checkpoints(run) == digests
