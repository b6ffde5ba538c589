"""A disk that fills up stops the run with a sentence; with room on it the same command completes to the same bytes."""

import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.interruptions import unlock
from tests.integration.results import content
from tests.integration.workflow import Workflow

pytestmark = pytest.mark.slow

TOLD = r"\S+: cannot be written \(No space left on device\); free space on its disk, and run again"
# Where the disk is full just when Snakemake itself writes, between two jobs.
SNAKEMAKES = r"Error recording metadata|OSError: \[Errno 28\] No space left on device"


@contextmanager
def disk(folder: Path):
    """A disk of its own, of 64 MB."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tumorseg", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk of a chosen size: {mounted.stderr.strip()}; only root may mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


def used(folder: Path) -> int:
    """KiB in use."""
    return int(
        subprocess.run(["df", "--output=used", folder], capture_output=True, text=True, check=True).stdout.split()[1]
    )


def fails_and_then_completes(run: Workflow, finished: Workflow, place: Path, told: str, *targets: str) -> None:
    """Insist that the run fails for want of room, saying what is `told`, and completes when there is room."""
    failed = run.run(*targets)
    assert failed.returncode != 0
    assert re.search(told, failed.stdout), failed.stdout[-6000:]
    assert not re.search(r'File "[^"]*/scripts/', failed.stdout), "a traceback of a job"
    assert not list(run.results.rglob(".tmp-*"))
    resize(place, "64m")
    unlock(run)
    completed = run.run(*targets, options=("--rerun-incomplete",))
    assert completed.returncode == 0, completed.stdout[-6000:]
    assert content(run).items() <= content(finished).items()
    assert not run.planned(*targets)


def test_a_disk_that_fills_up_in_a_training_costs_nothing_but_room(finished, tmp_path):
    with disk(tmp_path / "disk") as place:
        run = finished.copy(place / "run")
        for path in list(run.results.glob("**/*epoch-0003.*")):
            path.unlink()
        resize(place, f"{used(place) + 150}k")
        fails_and_then_completes(run, finished, place, f"train_epoch fold 0: {TOLD}", "train")


@pytest.mark.parametrize("room", ["300k", "2m", "3m", "5m"])
def test_a_disk_that_fills_up_anywhere_costs_nothing_but_room(finished, tmp_path, room):
    with disk(tmp_path / "disk") as place:
        run = Workflow(place / "run")
        run.configure()
        resize(place, room)
        fails_and_then_completes(run, finished, place, f"{TOLD}|{SNAKEMAKES}")
        assert content(run) == content(finished)


def test_a_disk_that_fills_up_while_patients_are_segmented_fails_the_job_and_leaves_no_mask(finished, tmp_path):
    with disk(tmp_path / "disk") as place:
        run = Workflow(place / "run")
        run.configure({"cohort": {"root": "nowhere"}, "demo": None, "segment": {"cases": "patients"}})
        shutil.copytree(finished.results / "model", run.results / "model")
        case = "BraTS-GLI-90001-000"
        shutil.copytree(finished.folder / "cohort" / case, run.folder / "patients" / case)
        assert run.planned("segment") == {"segment_batch": 1, "segment": 1}  # what Snakemake itself writes
        resize(place, f"{used(place) + 60}k")
        failed = run.run("segment")
        assert failed.returncode != 0
        assert re.search(f"{TOLD}|{SNAKEMAKES}", failed.stdout), failed.stdout[-6000:]
        assert not list(run.results.glob("segment*/**/*.nii.gz"))
        resize(place, "64m")
        unlock(run)
        completed = run.run("segment", options=("--rerun-incomplete",))
        assert completed.returncode == 0, completed.stdout[-6000:]
        assert (run.results / f"segmentations/{case}.nii.gz").stat().st_size
        assert run.planned("segment") == {}
