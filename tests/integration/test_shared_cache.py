"""Snakemake's between-workflow cache: only results that take long are shared."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow
from tests.repository.test_profiles import RULES

pytestmark = pytest.mark.release

CACHED_RULES = ("validate_batch", "normalise_batch", "train_epoch")
LAST = "training/fold-0/epoch-0002.pt"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The cache of all runs in this file."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(folder))
        yield folder


def configured(folder: Path, **training) -> Workflow:
    workflow = Workflow(folder)
    workflow.configure({"training": {"epochs": 2, "steps_per_epoch": 2, **training}})
    return workflow


def succeed(workflow: Workflow, *targets: str) -> str:
    completed = workflow.run(*targets, options=("--cache",))
    assert completed.returncode == 0, completed.stdout[-8000:]
    return completed.stdout


def rules_run(workflow: Workflow) -> list[str]:
    """Return the cacheable rules whose script ran. A result from the cache has an empty log."""
    return [
        rule for rule in CACHED_RULES if any(log.stat().st_size for log in workflow.results.glob(f"logs/{rule}/*.log"))
    ]


def result_bytes(workflow: Workflow) -> dict[str, bytes]:
    """Return the bytes of each result, following links into the cache, without logs and run times."""
    paths = [Path(folder, name) for folder, _, names in os.walk(workflow.results, followlinks=True) for name in names]
    names = {str(path.relative_to(workflow.results)): path for path in paths if not path.name.startswith(".snakemake")}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(("logs/", "benchmarks/"))}


def selection(workflow: Workflow) -> dict:
    return json.loads((workflow.results / "training/fold-0/selection.json").read_text())


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The run that fills the cache."""
    workflow = configured(tmp_path_factory.mktemp("first") / "run")
    succeed(workflow, "evaluate")
    return workflow


@pytest.fixture(scope="module")
def refused(first, tmp_path_factory):
    """A copy of the first run with a corrupted last checkpoint. The checkpoint in the cache is valid."""
    workflow = first.copy(tmp_path_factory.mktemp("refused") / "run")
    (workflow.results / LAST).unlink()
    (workflow.results / LAST).write_bytes(b"corrupted")
    succeed(workflow, "evaluate")
    return workflow


@pytest.fixture(scope="module")
def second(first, refused, tmp_path_factory):  # noqa: ARG001 - the other runs come first
    """A run in another folder, after a run that refused a checkpoint and used the previous one."""
    workflow = configured(tmp_path_factory.mktemp("second") / "run")
    succeed(workflow, "evaluate")
    return workflow


def test_only_these_rules_are_cached():
    assert {rule for rule, text in RULES.items() if "cache:" in text} == set(CACHED_RULES)


def test_a_second_run_takes_results_from_the_cache(first, second):
    assert (rules_run(first), rules_run(second)) == (list(CACHED_RULES), [])


def test_a_second_run_has_the_results_of_the_first_despite_a_corrupted_checkpoint(first, refused, second):
    assert (selection(refused)["epoch"], selection(second)["epoch"]) == (1, 2)
    assert result_bytes(second) == result_bytes(first)
    assert result_bytes(second) != result_bytes(refused)


def test_both_runs_have_nothing_to_do(first, second):
    assert (first.planned("evaluate"), second.planned("evaluate")) == ({}, {})


def test_another_learning_rate_trains_on_the_cached_cases(first, tmp_path):
    third = configured(tmp_path / "third", learning_rate=0.02)
    succeed(third, "train")
    assert rules_run(third) == ["train_epoch"]
    assert (third.results / LAST).read_bytes() != (first.results / LAST).read_bytes()


@pytest.fixture
def corrupted_checkpoint(first):
    """The cached file of the last checkpoint, corrupted during a test."""
    path = (first.results / LAST).resolve()
    before = path.read_bytes()
    path.write_bytes(bytes([*before[:1000], before[1000] ^ 1, *before[1001:]]))
    yield path
    path.write_bytes(before)


def test_a_corrupted_file_in_the_cache_is_refused_in_every_run_until_it_is_deleted(
    first, corrupted_checkpoint, tmp_path
):
    model = (first.results / "model/fold-0.safetensors").read_bytes()
    used, new = first.copy(tmp_path / "used"), configured(tmp_path / "new")
    for workflow in (used, new):
        output = succeed(workflow, "verify")
        assert f"REFUSED results/{LAST} is corrupted" in output
        assert f"Delete results/{LAST} and {corrupted_checkpoint} and run again" in output
        assert (selection(workflow)["epoch"], [refused["epoch"] for refused in selection(workflow)["refused"]]) == (
            1,
            [2],
        )
    (new.results / LAST).unlink()
    assert f"REFUSED results/{LAST} is corrupted" in succeed(new, "verify")  # it comes back from the cache
    corrupted_checkpoint.unlink()
    for workflow in (used, new):
        # As in workflow/docs/cache.md: Snakemake stops at broken links.
        subprocess.run(["find", workflow.results, "-xtype", "l", "-delete"], check=True)
        succeed(workflow, "verify")
        assert (selection(workflow)["epoch"], selection(workflow)["refused"]) == (2, [])
        assert (workflow.results / "model/fold-0.safetensors").read_bytes() == model
