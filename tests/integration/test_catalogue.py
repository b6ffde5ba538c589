"""The second Snakefile, where the catalogue of Snakemake workflows looks for one."""

import re

from tests.integration.workflow import Workflow
from tests.support.builders import REPOSITORY


def planned(workflow: Workflow, snakefile: str) -> dict[str, str]:
    """The number of jobs of each rule."""
    said = workflow.run(options=("--snakefile", str(REPOSITORY / snakefile), "--dry-run")).stdout
    stats = said.partition("Job stats:")[2].partition("total")[0]
    return dict(re.findall(r"^(\w+) +(\d+)$", stats, re.MULTILINE))


def test_it_plans_what_the_one_at_the_top_level_plans(tmp_path):
    workflow = Workflow(tmp_path)
    workflow.configure()
    jobs = planned(workflow, "workflow/Snakefile")
    assert {"demo_cohort", "train_epoch", "report", "all"} <= set(jobs)
    assert jobs == planned(workflow, "Snakefile")
