"""Corrupted checkpoints: the run uses the last valid one and retrains nothing on its own."""

import json
from collections import Counter

import pytest

from tests.integration.workflow import Workflow

pytestmark = pytest.mark.slow

LAST = "training/fold-0/epoch-0003.pt"


@pytest.fixture(scope="module")
def corrupted(finished, tmp_path_factory):
    """A finished run whose last checkpoint was corrupted, run again."""
    run = finished.copy(tmp_path_factory.mktemp("corrupted") / "run")
    content = bytearray((run.results / LAST).read_bytes())
    content[len(content) // 2] ^= 1
    (run.results / LAST).write_bytes(content)
    (run.folder / "output.txt").write_text(run.succeed())
    return run


def test_the_workflow_selects_the_previous_epoch(corrupted):
    selection = json.loads((corrupted.results / "training/fold-0/selection.json").read_text())
    assert selection["epoch"] == 2
    (refused,) = selection["refused"]
    assert (refused["epoch"], refused["problems"][0]["code"]) == (3, "digest_mismatch")


def test_terminal_and_report_name_the_refused_checkpoint(corrupted):
    assert "REFUSED results/training/fold-0/epoch-0003.pt" in (corrupted.folder / "output.txt").read_text()
    page = (corrupted.results / "report.html").read_text()
    assert "epoch-0003.pt" in page
    assert "the checkpoint of epoch 3 was refused" in page


def test_deleting_it_retrains_only_that_epoch_bit_identically(corrupted, finished, tmp_path):
    run = corrupted.copy(tmp_path / "run")
    (run.results / LAST).unlink()
    assert run.planned("verify") == Counter(train_epoch=1, verify_checkpoint=1, select_checkpoint=1)
    run.succeed("verify")
    for file in (LAST, "model/fold-0.safetensors"):
        assert (run.results / file).read_bytes() == (finished.results / file).read_bytes()


def test_a_corrupted_middle_checkpoint_retrains_nothing(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    (run.results / "training/fold-0/epoch-0001.pt").write_bytes(b"corrupted")
    assert "train_epoch" not in run.planned()
    run.succeed("verify")
    selection = json.loads((run.results / "training/fold-0/selection.json").read_text())
    assert (selection["epoch"], [refused["epoch"] for refused in selection["refused"]]) == (3, [1])


def test_a_corrupted_record_invalidates_no_other_checkpoint(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    (run.results / "training/fold-0/epoch-0002.json").write_text("{")
    assert "train_epoch" not in run.planned()
    run.succeed("verify")
    selection = json.loads((run.results / "training/fold-0/selection.json").read_text())
    assert (selection["epoch"], [refused["epoch"] for refused in selection["refused"]]) == (3, [2])
    assert (run.results / LAST).read_bytes() == (finished.results / LAST).read_bytes()


def test_a_deleted_middle_checkpoint_is_retrained_with_later_ones(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    (run.results / "training/fold-0/epoch-0002.pt").unlink()
    assert run.planned("train") == Counter(train_epoch=2)


def test_training_does_not_continue_from_a_corrupted_checkpoint(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    (run.results / LAST).write_bytes(b"")
    run.configure({"training": {"epochs": 4}})
    completed = run.run("train")
    assert completed.returncode != 0
    assert "epoch-0003.pt: cannot continue from this checkpoint: it is empty" in completed.stdout
    assert (run.results / "training/fold-0/epoch-0002.pt").exists()


def test_without_a_valid_checkpoint_the_run_stops_and_names_all(finished, tmp_path):
    run = Workflow(finished.copy(tmp_path / "run").folder)
    for epoch in (1, 2, 3):
        (run.results / f"training/fold-0/epoch-{epoch:04d}.pt").write_bytes(b"corrupted")
    completed = run.run("verify")
    assert completed.returncode != 0
    assert "no checkpoint is valid" in completed.stdout
    assert all(f"epoch-{epoch:04d}.pt is corrupted or was replaced" in completed.stdout for epoch in (1, 2, 3))
