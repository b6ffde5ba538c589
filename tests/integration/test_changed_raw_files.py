"""Changed raw files rerun their shard whatever their date and size. Touched files rerun nothing."""

import os
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest

import normalise_batch
from tests.integration.workflow import Workflow
from tests.support.builders import REPOSITORY
from tests.support.case_files import AFFINE, CASE, SUFFIXES, TASK, image, mask, nifti_content
from tumorseg.io.nifti import nifti_bytes

pytestmark = pytest.mark.slow

CASES = (CASE, CASE.replace("00001", "00002"))
TARGETS = ("validate", "normalise")
PROFILE = ("--workflow-profile", str(REPOSITORY / "workflow/profiles/workstation"))
ONE_SHARD = Counter(("validate_batch", "normalise_batch", "manifest", "cohort_page", "check_cohort"))
YEARS_AGO = 1_500_000_000


def path_of(run: Workflow, case: str, role: str) -> Path:
    """Return the file of a role. The files of the first case are uncompressed."""
    return run.folder / "cohort" / case / f"{case}-{SUFFIXES[role]}.nii{'.gz' if case != CASES[0] else ''}"


def content(path: Path, volume) -> bytes:
    """Return the bytes of a volume's file. At level 0 gzip does not compress, so all files have one size."""
    return nifti_content(volume, AFFINE) if path.suffix == ".nii" else nifti_bytes(volume, AFFINE, level=0)


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    """A run that has validated and normalised two cases in separate shards. Change only copies of it."""
    run = Workflow(tmp_path_factory.mktemp("validated") / "run")
    for number, case in enumerate(CASES):
        for role in SUFFIXES:
            path = path_of(run, case, role)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content(path, mask() if role == "seg" else image(role, number)))
            os.utime(path, (YEARS_AGO, YEARS_AGO))
    run.configure({"cohort": {"root": "cohort", "shards": 2}, "demo": None})
    run.succeed(*TARGETS)
    return run


@pytest.fixture
def run(validated, tmp_path):
    return validated.copy(tmp_path / "run")


def move_over(path: Path, new: bytes) -> None:
    """Replace a file as rsync and mv do: with a new inode."""
    other = path.with_name(".other")
    other.write_bytes(new)
    os.utime(other, (YEARS_AGO, YEARS_AGO))
    other.replace(path)


def copy_over(path: Path, new: bytes) -> None:
    """Overwrite a file as cp -p does: with the same inode."""
    path.write_bytes(new)
    os.utime(path, (YEARS_AGO, YEARS_AGO))


@pytest.mark.parametrize(
    "options", [(), pytest.param(PROFILE, marks=pytest.mark.release)], ids=["no-profile", "profile"]
)
@pytest.mark.parametrize(("case", "change"), list(zip(CASES, (move_over, copy_over), strict=True)))
def test_a_change_with_the_same_size_and_date_is_noticed(run, case, change, options):
    path = path_of(run, case, "t2")
    before = path.stat()
    change(path, content(path, image("t2", 7)))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert run.planned(*TARGETS, options=options) == ONE_SHARD
    assert run.planned(*TARGETS, options=options) == ONE_SHARD  # a dry run does not change the next plan
    completed = run.run(*TARGETS, options=options)
    assert completed.returncode == 0, completed.stdout[-8000:]
    assert run.planned(*TARGETS, options=options) == Counter()


def test_two_swapped_files_of_a_case_are_noticed(run):
    one, other = path_of(run, CASES[0], "t1"), path_of(run, CASES[0], "t2")
    temporary = one.rename(one.with_name("temporary"))
    other.rename(one)
    temporary.rename(other)
    assert run.planned(*TARGETS) == ONE_SHARD


def test_a_corrected_mask_is_noticed(run):
    path = path_of(run, CASES[0], "seg")
    corrected = mask()
    corrected[corrected == 1] = 2
    move_over(path, content(path, corrected))
    run.succeed(*TARGETS)
    table = (run.results / "cohort/manifest.tsv").read_text().splitlines()
    row = dict(zip(table[0].split("\t"), table[1].split("\t"), strict=True))
    assert (row["label_1"], row["label_2"]) == ("0", "16")


def test_touched_files_rerun_nothing_even_with_a_future_date(run):
    for path in (run.folder / "cohort").rglob("*.nii*"):
        path.touch()
    ahead = path_of(run, CASES[1], "t1")
    os.utime(ahead, (time.time() + 10**6,) * 2)
    output = run.succeed(*TARGETS)
    assert "Nothing to be done" in output
    assert f"{ahead.relative_to(run.folder / 'cohort')}: dated in the future" in output


def test_a_changed_file_with_a_future_date_is_validated_once(run):
    path = path_of(run, CASES[1], "t1")
    path.write_bytes(content(path, image("t1", 7)))
    os.utime(path, (time.time() + 10**6,) * 2)
    run.succeed(*TARGETS)
    assert run.planned(*TARGETS) == Counter()


def test_moved_data_rerun_nothing(run):
    shutil.move(run.folder / "cohort", run.folder / "moved")
    run.configure({"cohort": {"root": "moved", "shards": 2}, "demo": None})
    assert run.planned(*TARGETS) == Counter()


def test_a_change_is_noticed_without_the_folder_of_snakemake(run):
    shutil.rmtree(run.folder / ".snakemake")
    assert run.planned(*TARGETS) == Counter()
    path = path_of(run, CASES[0], "t2")
    move_over(path, content(path, image("t2", 7)))
    shutil.rmtree(run.folder / ".snakemake")
    assert run.planned(*TARGETS) == ONE_SHARD


def test_a_file_that_changes_during_a_run_fails_the_job_and_the_next_run_succeeds(run, capsys):
    path = path_of(run, CASES[0], "t2")
    move_over(path, content(path, image("t2", 7)))
    results = next(
        file for file in (run.results / "cohort/verdicts").iterdir() if CASES[0] in file.read_text(encoding="utf-8")
    )
    command = ["--task", TASK.name, "--root", str(run.folder / "cohort"), "--validation-results", str(results)]
    command += ["--output", str(run.folder / "out")]
    with pytest.raises(SystemExit):
        normalise_batch.main([*command, "--settings", '{"margin_voxels": 1, "clip_percentiles": [0.5, 99.5]}'])
    assert "has changed since it was validated; run the workflow again" in capsys.readouterr().err
    run.succeed(*TARGETS)
    assert run.planned(*TARGETS) == Counter()


def test_an_older_split_file_is_noticed(run):
    own = run.folder / "own.tsv"
    own.write_text(f"case\tfold\n{CASES[0]}\t0\n{CASES[1]}\t-1\n")
    run.configure({"cohort": {"root": "cohort", "shards": 2, "split_file": "own.tsv"}, "demo": None})
    run.succeed("split")
    assert run.planned("split") == Counter()
    own.write_text(f"case\tfold\n{CASES[1]}\t0\n{CASES[0]}\t-1\n")
    os.utime(own, (YEARS_AGO, YEARS_AGO))
    assert run.planned("split") == Counter(split=1)
