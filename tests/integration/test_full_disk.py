"""A full disk stops the run with a clear message. With free space the same command completes, bit-identically."""

import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.interruptions import unlock
from tests.integration.result_digests import result_digests
from tests.integration.workflow import Workflow

pytestmark = pytest.mark.release

DISK_FULL = r"\S+: cannot be written \(No space left on device\); free space on its disk, and run again"
# Messages of Snakemake if the disk is full when it writes between two jobs.
SNAKEMAKE_DISK_FULL = r"Error recording metadata|OSError: \[Errno 28\] No space left on device"


@contextmanager
def small_disk(folder: Path):
    """Mount a disk of 64 MB."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tumorseg", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}; this needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


def used_kib(folder: Path) -> int:
    """Return the used space of a disk in KiB."""
    return int(
        subprocess.run(["df", "--output=used", folder], capture_output=True, text=True, check=True).stdout.split()[1]
    )


def assert_fails_and_then_completes(run: Workflow, finished: Workflow, disk: Path, message: str, *targets: str) -> None:
    """Check that the run fails with a message while the disk is full, and then completes."""
    failed = run.run(*targets)
    assert failed.returncode != 0
    assert re.search(message, failed.stdout), failed.stdout[-6000:]
    assert not re.search(r'File "[^"]*/scripts/', failed.stdout), "a traceback of a job"
    assert not list(run.results.rglob(".tmp-*"))
    resize(disk, "64m")
    unlock(run)
    completed = run.run(*targets, options=("--rerun-incomplete",))
    assert completed.returncode == 0, completed.stdout[-6000:]
    assert result_digests(run).items() <= result_digests(finished).items()
    assert not run.planned(*targets)


def test_training_completes_after_the_disk_was_full(finished, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        run = finished.copy(disk / "run")
        for path in list(run.results.glob("**/*epoch-0003.*")):
            path.unlink()
        resize(disk, f"{used_kib(disk) + 150}k")
        assert_fails_and_then_completes(run, finished, disk, f"train_epoch fold 0: {DISK_FULL}", "train")


@pytest.mark.parametrize("size", ["300k", "2m", "3m", "5m"])
def test_a_run_completes_after_the_disk_was_full_at_any_stage(finished, tmp_path, size):
    with small_disk(tmp_path / "disk") as disk:
        run = Workflow(disk / "run")
        run.configure()
        resize(disk, size)
        assert_fails_and_then_completes(run, finished, disk, f"{DISK_FULL}|{SNAKEMAKE_DISK_FULL}")
        assert result_digests(run) == result_digests(finished)


def test_a_full_disk_fails_the_segmentation_and_leaves_no_partial_mask(finished, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        run = Workflow(disk / "run")
        run.configure({"cohort": {"root": "nowhere"}, "demo": None, "segment": {"cases": "patients"}})
        shutil.copytree(finished.results / "model", run.results / "model")
        case = "BraTS-GLI-90001-000"
        shutil.copytree(finished.folder / "cohort" / case, run.folder / "patients" / case)
        assert run.planned("segment") == {"segment_batch": 1, "segment": 1}  # lets Snakemake write its own files
        resize(disk, f"{used_kib(disk) + 60}k")
        failed = run.run("segment")
        assert failed.returncode != 0
        assert re.search(f"{DISK_FULL}|{SNAKEMAKE_DISK_FULL}", failed.stdout), failed.stdout[-6000:]
        assert not list(run.results.glob("segment*/**/*.nii.gz"))
        resize(disk, "64m")
        unlock(run)
        completed = run.run("segment", options=("--rerun-incomplete",))
        assert completed.returncode == 0, completed.stdout[-6000:]
        assert (run.results / f"segmentations/{case}.nii.gz").stat().st_size
        assert run.planned("segment") == {}
