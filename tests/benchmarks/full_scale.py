"""The workflow on 1,253 tiny cases: its overhead besides the work on images."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.timing import Figure
from tests.integration.workflow import Workflow
from tests.support.builders import REPOSITORY
from tests.support.large_cohort import write_cohort

PROFILE = ("--workflow-profile", str(REPOSITORY / "workflow/profiles/workstation"))


def figures() -> Iterator[Figure]:
    """Yield seconds for validating and normalising a new cohort, and for runs with nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        workflow = Workflow(Path(folder, "run"))
        write_cohort(workflow.folder / "cohort")
        workflow.configure({"cohort": {"root": "cohort", "shards": 32}, "demo": None})
        yield Figure(
            "CPU of validate and normalise, 1,253 cases", _cpu_seconds(workflow, "validate", "normalise"), "s", most=45
        )
        workflow.succeed()
        yield _time_nothing_to_do(workflow, "a dry run", "--dry-run")
        yield _time_nothing_to_do(workflow, "a run with nothing to do")
        for path in (workflow.folder / "cohort").rglob("*"):
            if path.is_file():  # not a broken link
                path.touch()
        yield _time_nothing_to_do(workflow, "a dry run after all files were touched", *PROFILE, "--dry-run")


def _time_nothing_to_do(workflow: Workflow, what: str, *options: str) -> Figure:
    began = time.perf_counter()
    output = workflow.run(options=options).stdout
    seconds = time.perf_counter() - began
    if "Nothing to be done" not in output:
        raise RuntimeError(f"the run had something to do:\n{output}")
    return Figure(f"{what}, finished cohort of 1,253 cases", seconds, "s", most=6)


def _cpu_seconds(workflow: Workflow, *targets: str) -> float:
    before = os.times()
    workflow.succeed(*targets)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
