"""The workflow around 1,253 tiny cases: what it costs beside the work on the images themselves."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.timing import Figure
from tests.full_scale import write_cohort
from tests.integration.workflow import Workflow


def figures() -> Iterator[Figure]:
    """Seconds, of a cohort built anew: validated, normalised, then finished to the report with a tiny network."""
    with tempfile.TemporaryDirectory() as folder:
        workflow = Workflow(Path(folder, "run"))
        write_cohort(workflow.folder / "cohort")
        workflow.configure({"cohort": {"root": "cohort", "batches": 32}, "demo": None})
        yield Figure(
            "CPU of validate and normalise, 1,253 cases", _cpu(workflow, "validate", "normalise"), "s", most=45
        )
        workflow.succeed()
        for what, options in (("a dry run", ("--dry-run",)), ("a run with nothing to do", ())):
            began = time.perf_counter()
            output = workflow.run(options=options).stdout
            seconds = time.perf_counter() - began
            if "Nothing to be done" not in output:
                raise RuntimeError(f"something was left to do:\n{output}")
            yield Figure(f"{what}, finished cohort of 1,253 cases", seconds, "s", most=6)


def _cpu(workflow: Workflow, *targets: str) -> float:
    before = os.times()
    workflow.succeed(*targets)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
