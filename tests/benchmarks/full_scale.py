"""The workflow around 1,253 tiny cases: what it costs beside the work on the images themselves."""

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
    """Seconds, of a cohort made anew: validated, normalised, finished to the report by a tiny network, left alone."""
    with tempfile.TemporaryDirectory() as folder:
        workflow = Workflow(Path(folder, "run"))
        write_cohort(workflow.folder / "cohort")
        workflow.configure({"cohort": {"root": "cohort", "shards": 32}, "demo": None})
        yield Figure(
            "CPU of validate and normalise, 1,253 cases", _cpu(workflow, "validate", "normalise"), "s", most=45
        )
        workflow.succeed()
        yield _nothing_to_do(workflow, "a dry run", "--dry-run")
        yield _nothing_to_do(workflow, "a run with nothing to do")
        for path in (workflow.folder / "cohort").rglob("*"):
            if path.is_file():  # and no link that leads nowhere
                path.touch()
        yield _nothing_to_do(workflow, "a dry run after all files were touched", *PROFILE, "--dry-run")


def _nothing_to_do(workflow: Workflow, what: str, *options: str) -> Figure:
    began = time.perf_counter()
    output = workflow.run(options=options).stdout
    seconds = time.perf_counter() - began
    if "Nothing to be done" not in output:
        raise RuntimeError(f"something was left to do:\n{output}")
    return Figure(f"{what}, finished cohort of 1,253 cases", seconds, "s", most=6)


def _cpu(workflow: Workflow, *targets: str) -> float:
    before = os.times()
    workflow.succeed(*targets)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
