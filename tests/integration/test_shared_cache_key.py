"""What a result in Snakemake's between-workflow cache is known by: all that decides it, and nothing else."""

import re
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import CASE, path_of, write_valid_case

pytestmark = pytest.mark.slow

OTHER = CASE.replace("00001", "00002")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A folder that the runs of a test share."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(folder))


@pytest.fixture
def root(tmp_path):
    """Two cases, in one batch."""
    for case in (CASE, OTHER):
        write_valid_case(tmp_path / "data", case, seed=int(case == OTHER))
    return tmp_path / "data"


def configured(folder: Path, root: Path, **training) -> Workflow:
    workflow = Workflow(folder)
    workflow.configure({"cohort": {"root": str(root), "shards": 1}, "demo": None, "training": training})
    return workflow


def obtained(workflow: Workflow, *targets: str, options=()) -> dict[str, bool]:
    """Of each file, whether a dry run would have it from the cache."""
    said = workflow.run(*targets, options=("--cache", "--dry-run", *options)).stdout
    found = re.findall(r"Output file results/(\S+) will be (obtained|written)", said)
    assert found, said[-4000:]
    return {name: word == "obtained" for name, word in found}


def normalised(workflow: Workflow, *options: str) -> dict[str, bytes]:
    """The cases that a run normalises."""
    completed = workflow.run("normalise", options=options)
    assert completed.returncode == 0, completed.stdout[-8000:]
    return {path.name: path.read_bytes() for path in workflow.results.glob("normalised/batch-000/*.safetensors")}


def test_the_same_cases_are_shared(root, tmp_path):
    normalised(configured(tmp_path / "first", root), "--cache")
    assert set(obtained(configured(tmp_path / "second", root), "normalise").values()) == {True}


def test_a_file_with_other_bytes_is_judged_anew(root, tmp_path):
    normalised(configured(tmp_path / "first", root), "--cache")
    changed = path_of(root, "t2")
    content = bytearray(changed.read_bytes())
    content[-6] ^= 1
    changed.write_bytes(content)
    second = configured(tmp_path / "second", root)
    assert list(normalised(second, "--cache")) == [f"{OTHER}.safetensors"]
    assert "crc_mismatch" in (second.results / "cohort/manifest.tsv").read_text()


def test_files_that_have_changed_their_names_are_judged_anew(root, tmp_path):
    """Snakemake knows a job by the contents of its files, whatever each is called."""
    normalised(configured(tmp_path / "first", root), "--cache")
    one, other = path_of(root, "t1"), path_of(root, "t1ce")
    between = one.rename(tmp_path / "between")
    other.rename(one)
    between.rename(other)
    assert normalised(configured(tmp_path / "second", root), "--cache") == normalised(
        configured(tmp_path / "alone", root)
    )


def test_the_number_of_processes_counts_as_a_setting_of_training_does(root, tmp_path):
    """And trains nothing anew in a folder that has begun with another one."""
    first = configured(tmp_path / "first", root, epochs=1)
    completed = first.run("train", options=("--cache",))
    assert completed.returncode == 0, completed.stdout[-8000:]
    second = configured(tmp_path / "second", root, epochs=1)
    assert obtained(second, "train")["training/fold-0/epoch-0001.pt"]
    two = ("--set-resources", "train_epoch:gpu=2")
    assert not obtained(second, "train", options=two)["training/fold-0/epoch-0001.pt"]
    assert "Nothing to be done" in first.run("train", options=("--dry-run", *two)).stdout
