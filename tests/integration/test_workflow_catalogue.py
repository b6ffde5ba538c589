"""workflow/Snakefile, which the catalogue of Snakemake workflows expects."""

import re

from tests.integration.workflow import Workflow
from tests.support.builders import REPOSITORY


def planned(workflow: Workflow, snakefile: str) -> dict[str, str]:
    """Return the number of planned jobs of each rule."""
    output = workflow.run(options=("--snakefile", str(REPOSITORY / snakefile), "--dry-run")).stdout
    stats = output.partition("Job stats:")[2].partition("total")[0]
    return dict(re.findall(r"^(\w+) +(\d+)$", stats, re.MULTILINE))


def test_it_plans_the_same_jobs_as_the_snakefile_at_the_top_level(tmp_path):
    workflow = Workflow(tmp_path)
    workflow.configure()
    jobs = planned(workflow, "workflow/Snakefile")
    assert {"demo_cohort", "train_epoch", "report", "all"} <= set(jobs)
    assert jobs == planned(workflow, "Snakefile")
