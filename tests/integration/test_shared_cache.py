"""Snakemake's between-workflow cache shares what costs, and neither validation results nor what follows from them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow
from tests.repository.test_profiles import RULES

pytestmark = pytest.mark.slow

SHARED = ("validate_batch", "normalise_batch", "train_epoch")
LAST = "training/fold-0/epoch-0002.pt"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The folder that all runs of this file share."""
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
    """The rules that may share of which a script ran: where a result comes from the cache, the log stays empty."""
    return [rule for rule in SHARED if any(log.stat().st_size for log in workflow.results.glob(f"logs/{rule}/*.log"))]


def contents(workflow: Workflow) -> dict[str, bytes]:
    """The bytes of each result, through the links into the cache, but for logs, run times and Snakemake's own marks."""
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
def refusing(first, tmp_path_factory):
    """The first run, whose last checkpoint was replaced by a rotten file: what the cache holds is sound."""
    workflow = first.copy(tmp_path_factory.mktemp("refusing") / "run")
    (workflow.results / LAST).unlink()
    (workflow.results / LAST).write_bytes(b"rotten")
    succeed(workflow, "evaluate")
    return workflow


@pytest.fixture(scope="module")
def second(first, refusing, tmp_path_factory):  # noqa: ARG001 the others come before it
    """Another folder, after a run has refused a checkpoint and predicted by another one."""
    workflow = configured(tmp_path_factory.mktemp("second") / "run")
    succeed(workflow, "evaluate")
    return workflow


def test_no_other_rule_shares():
    assert {rule for rule, text in RULES.items() if "cache:" in text} == set(SHARED)


def test_a_second_folder_takes_what_costs_from_the_cache(first, second):
    assert (rules_run(first), rules_run(second)) == (list(SHARED), [])


def test_it_has_the_results_of_the_first_not_those_that_came_of_anothers_rotten_checkpoint(first, refusing, second):
    assert (selection(refusing)["epoch"], selection(second)["epoch"]) == (1, 2)
    assert contents(second) == contents(first)
    assert contents(second) != contents(refusing)


def test_both_have_nothing_left_to_do(first, second):
    assert (first.planned("evaluate"), second.planned("evaluate")) == ({}, {})


def test_another_learning_rate_trains_itself_on_the_shared_cases(first, tmp_path):
    third = configured(tmp_path / "third", learning_rate=0.02)
    succeed(third, "train")
    assert rules_run(third) == ["train_epoch"]
    assert (third.results / LAST).read_bytes() != (first.results / LAST).read_bytes()


@pytest.fixture
def rotten(first):
    """The cached file of the last checkpoint, rotten during a test."""
    path = (first.results / LAST).resolve()
    before = path.read_bytes()
    path.write_bytes(bytes([*before[:1000], before[1000] ^ 1, *before[1001:]]))
    yield path
    path.write_bytes(before)


def test_a_rotten_file_in_the_cache_is_refused_wherever_it_is_used_until_it_is_deleted_there(first, rotten, tmp_path):
    model = (first.results / "model/fold-0.safetensors").read_bytes()
    used, new = first.copy(tmp_path / "used"), configured(tmp_path / "new")
    for workflow in (used, new):
        said = succeed(workflow, "verify")
        assert f"REFUSED results/{LAST} is corrupted" in said
        assert f"Delete results/{LAST} and {rotten} and run again" in said
        assert (selection(workflow)["epoch"], [each["epoch"] for each in selection(workflow)["refused"]]) == (1, [2])
    (new.results / LAST).unlink()
    assert f"REFUSED results/{LAST} is corrupted" in succeed(new, "verify")  # deleted here alone, it comes back
    rotten.unlink()
    for workflow in (used, new):
        # As the README says: Snakemake stops at links that lead nowhere.
        subprocess.run(["find", workflow.results, "-xtype", "l", "-delete"], check=True)
        succeed(workflow, "verify")
        assert (selection(workflow)["epoch"], selection(workflow)["refused"]) == (2, [])
        assert (workflow.results / "model/fold-0.safetensors").read_bytes() == model
