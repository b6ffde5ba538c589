"""The key of a result in Snakemake's between-workflow cache depends on everything that decides the result."""

import re
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import CASE, path_of, write_valid_case

pytestmark = pytest.mark.release

SECOND_CASE = CASE.replace("00001", "00002")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache of the runs of a test."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(folder))


@pytest.fixture
def root(tmp_path):
    """A cohort of two cases in one shard."""
    for case in (CASE, SECOND_CASE):
        write_valid_case(tmp_path / "data", case, seed=int(case == SECOND_CASE))
    return tmp_path / "data"


def configured(folder: Path, root: Path, **training) -> Workflow:
    workflow = Workflow(folder)
    workflow.configure({"cohort": {"root": str(root), "shards": 1}, "demo": None, "training": training})
    return workflow


def from_cache(workflow: Workflow, *targets: str, options=()) -> dict[str, bool]:
    """Return for each file whether a dry run would take it from the cache."""
    output = workflow.run(*targets, options=("--cache", "--dry-run", *options)).stdout
    found = re.findall(r"Output file results/(\S+) will be (obtained|written)", output)
    assert found, output[-4000:]
    return {name: word == "obtained" for name, word in found}


def normalised(workflow: Workflow, *options: str) -> dict[str, bytes]:
    """Run `normalise`, and return the files of the normalised cases."""
    completed = workflow.run("normalise", options=options)
    assert completed.returncode == 0, completed.stdout[-8000:]
    return {path.name: path.read_bytes() for path in workflow.results.glob("normalised/batch-000/*.safetensors")}


def test_the_same_cases_are_taken_from_the_cache(root, tmp_path):
    normalised(configured(tmp_path / "first", root), "--cache")
    assert set(from_cache(configured(tmp_path / "second", root), "normalise").values()) == {True}


def test_a_file_with_other_bytes_is_validated_again(root, tmp_path):
    normalised(configured(tmp_path / "first", root), "--cache")
    changed = path_of(root, "t2")
    content = bytearray(changed.read_bytes())
    content[-6] ^= 1
    changed.write_bytes(content)
    second = configured(tmp_path / "second", root)
    assert list(normalised(second, "--cache")) == [f"{SECOND_CASE}.safetensors"]
    assert "crc_mismatch" in (second.results / "cohort/manifest.tsv").read_text()


def test_files_with_swapped_names_are_validated_again(root, tmp_path):
    """Snakemake's own key has the contents of the input files but not their names."""
    normalised(configured(tmp_path / "first", root), "--cache")
    one, other = path_of(root, "t1"), path_of(root, "t1ce")
    temporary = one.rename(tmp_path / "temporary")
    other.rename(one)
    temporary.rename(other)
    assert normalised(configured(tmp_path / "second", root), "--cache") == normalised(
        configured(tmp_path / "alone", root)
    )


def test_the_number_of_processes_is_part_of_the_key(root, tmp_path):
    """It does not rerun a training that has started with another number."""
    first = configured(tmp_path / "first", root, epochs=1)
    completed = first.run("train", options=("--cache",))
    assert completed.returncode == 0, completed.stdout[-8000:]
    second = configured(tmp_path / "second", root, epochs=1)
    assert from_cache(second, "train")["training/fold-0/epoch-0001.pt"]
    two = ("--set-resources", "train_epoch:gpu=2")
    assert not from_cache(second, "train", options=two)["training/fold-0/epoch-0001.pt"]
    assert "Nothing to be done" in first.run("train", options=("--dry-run", *two)).stdout
