"""Planning ten times the cases of BraTS 2023: CPU time, which hardly depends on other load."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.timing import Figure
from tests.integration.workflow import Workflow
from tests.support.large_cohort import write_cohort

CASES = 12_530


def figures(cases: int = CASES) -> Iterator[Figure]:
    """Yield CPU seconds of a dry run before and after validation. Takes minutes."""
    with tempfile.TemporaryDirectory() as folder:
        workflow = Workflow(Path(folder, "run"))
        write_cohort(workflow.folder / "cohort", cases)
        workflow.configure({"cohort": {"root": "cohort", "shards": 32}, "demo": None})
        yield Figure(f"CPU of a dry run, {cases:,} new cases", _best_dry_run(workflow), "s", most=12)
        workflow.succeed("validate")
        yield Figure(f"CPU of a dry run, {cases:,} validated cases", _best_dry_run(workflow), "s", most=12)


def _best_dry_run(workflow: Workflow) -> float:
    return min(_cpu_seconds(workflow) for _ in range(3))


def _cpu_seconds(workflow: Workflow) -> float:
    before = os.times()
    completed = workflow.run(options=("--dry-run", "--quiet"))
    after = os.times()
    if completed.returncode:
        raise RuntimeError(completed.stdout)
    return after.children_user + after.children_system - before.children_user - before.children_system
