"""The messages in the terminal."""

import re

import pytest

from tests.integration.workflow import TINY, Workflow


@pytest.mark.slow
def test_device_and_threads_are_printed_once_and_are_in_every_log(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"demo": None, "training": {"threads": 3, "precision": "fp16"}})
    output = run.run("segment", options=("--config", "patients=cohort")).stdout
    logs = [path.read_text() for path in (run.results / "logs/segment_batch").glob("*.log")]
    assert len(logs) > 1
    for message in (
        "computing in fp32 on the CPU with 3 threads",
        "training.precision is fp16",
        "training.threads is 3,",
    ):
        assert len(re.findall(re.escape(message), output)) == 1
        assert all(message in log for log in logs)
    assert "but this run has 2 CPU cores" in output or "but this run has 1 CPU core," in output


def test_a_run_prints_the_lines_of_its_jobs_and_ends_with_the_report(finished):
    lines = (finished.folder / "output.txt").read_text().splitlines()
    assert not [line for line in lines if re.match(r"\s+(input|output|reason|resources|jobid): ", line)]
    assert lines[-1] == f"Report:         {finished.results / 'report.html'}"
    own = [line for line in lines if re.match(r"[a-z_]+( [a-z0-9= -]+)?: ", line)]
    assert len(lines) - len(own) < 30


def test_a_failed_job_is_named_with_its_log_and_a_dry_run_gives_reasons(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"cohort": {**TINY["cohort"], "expected_usable": 7}})
    planned = run.run(options=("--dry-run",)).stdout
    assert "\ncheck_cohort: Params have changed since last execution\n" in planned
    assert planned.count("Job stats:") == 1
    failed = run.run("validate").stdout
    assert "Error in rule check_cohort:" in failed
    assert "log: results/logs/check_cohort.log" in failed
    assert len(failed.splitlines()) < 25


def test_the_target_help_lists_thirteen_targets(tmp_path):
    run = Workflow(tmp_path / "run")
    run.configure()
    listed = re.findall(r"^  (\w+) +[A-Z].+\.$", run.succeed("help"), re.MULTILINE)
    assert {"validate", "segment", "score", "report"} <= set(listed)
    assert len(listed) == 13
