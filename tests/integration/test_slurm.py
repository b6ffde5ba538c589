"""A run with the Slurm profile on a real Slurm, in which a job is killed, compared with a run without Slurm."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.result_digests import result_digests
from tests.integration.workflow import Workflow
from tests.slurm.cluster import Cluster, Job, running
from tests.slurm.configuration import GPUS, reason_unavailable
from tests.support.builders import REPOSITORY

pytestmark = pytest.mark.slurm

SETTINGS = {
    "cohort": {"shards": 2},
    "training": {"epochs": 2, "steps_per_epoch": 60, "device": "auto", "tensorboard": True},
}
TARGET = "evaluate"
KILLED = "rule_train_epoch_wildcards_0_0002"
HOLDER = """
import sys, time
from pathlib import Path
from tests.slurm.cluster import running
with running(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(600)
"""
BARE = {"PATH": os.defpath, "HOME": str(Path.home())}
"""The environment of a user who has not activated the packages. Jobs get it with the additions of the rules."""


def command(run: Workflow, *arguments: str) -> list[str]:
    """Return the command of Snakemake with the Slurm profile."""
    snakemake = [sys.executable, "-m", "tests.slurm.fast_polling", "--snakefile", "Snakefile", *arguments]
    paths = ["--directory", str(run.folder), "--configfile", str(run.folder / "tiny.yaml")]
    return [*snakemake, "--workflow-profile", "workflow/profiles/slurm", *paths]


def output_of(arguments: list[str]) -> str:
    """Run a command, check that it succeeds, and return its output."""
    completed = subprocess.run(
        arguments, cwd=REPOSITORY, env=BARE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout[-8000:]
    return completed.stdout


@dataclass(frozen=True)
class SubmittedRun:
    """A run on Slurm: its plan, its jobs as Slurm reports them, and the devices of each job by its number."""

    run: Workflow
    planned: Counter[str]
    plan: str
    jobs: list[Job]
    devices: dict[str, set[str]]

    def finished(self) -> dict[str, Job]:
        """Return the completed jobs by rule and wildcards."""
        return {job.rule: job for job in self.jobs if job.state == "COMPLETED"}


@pytest.fixture(scope="module", autouse=True)
def skip_without_slurm() -> None:
    reason = reason_unavailable()
    if reason is not None:
        pytest.skip(f"no cluster can be started here: {reason}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("slurm")) as started:
        yield started


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Workflow:
    """The same run without Slurm."""
    run = Workflow(tmp_path_factory.mktemp("local") / "run")
    run.configure(SETTINGS)
    run.succeed(TARGET)
    return run


@pytest.fixture(scope="module")
def submitted(cluster, tmp_path_factory) -> SubmittedRun:
    """A run in which the second epoch's job is cancelled while it trains."""
    run = Workflow(tmp_path_factory.mktemp("submitted") / "run")
    run.configure(SETTINGS)
    planned, plan = run.planned(TARGET), output_of(command(run, TARGET, "--dry-run", "--printshellcmds"))
    with (run.folder / "output.txt").open("w") as output:
        process = subprocess.Popen(
            command(run, TARGET), cwd=REPOSITORY, env=BARE, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        cancel_training(cluster, run, process)
        process.wait()
    finally:
        process.kill()
    assert process.returncode == 0, (run.folder / "output.txt").read_text()[-8000:]
    return SubmittedRun(run, planned, plan, cluster.jobs(), cluster.devices())


def cancel_training(cluster: Cluster, run: Workflow, process: subprocess.Popen) -> None:
    """Wait until the second epoch trains, and cancel its job as an administrator does."""
    log = run.results / "logs/train_epoch/fold-0-epoch-0002.log"
    deadline = time.monotonic() + 300
    while not (log.exists() and "steps an epoch" in log.read_text()):
        assert process.poll() is None, (run.folder / "output.txt").read_text()[-8000:]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (number,) = [job.number for job in cluster.jobs() if job.rule == KILLED and job.state == "RUNNING"]
    subprocess.run(["scancel", number], check=True)


def rule_of(name: str) -> str:
    """Return the rule in the comment that the plugin writes for a job."""
    return name.removeprefix("rule_").partition("_wildcards_")[0]


def test_the_cluster_stops_when_the_tests_are_killed(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "up\n"
    controller = Path("/proc", (tmp_path / "slurmctld.pid").read_text().strip())
    assert controller.exists()
    holder.kill()
    holder.communicate()
    deadline = time.monotonic() + 20
    while reason_unavailable() is not None or controller.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_every_job_runs_on_slurm(submitted):
    assert Counter(rule_of(name) for name in submitted.finished()) == submitted.planned
    assert {"validate_batch", "normalise_batch", "train_epoch", "predict", "evaluate"} <= set(submitted.planned)


def test_a_job_requests_the_resources_of_its_rule(submitted):
    first = {rule_of(job.rule): (job.cpus, job.memory_mb, job.minutes) for job in reversed(submitted.jobs)}
    requested = requests(submitted.plan)
    assert first == {rule: requested[rule] for rule in submitted.planned}
    assert first["evaluate"][0] == 4
    assert first["train_epoch"] == (1, 24000, 720)


def requests(plan: str) -> dict[str, tuple[int, int, int]]:
    """Return CPUs, memory in MB and minutes of each rule in a plan. A plan does not show a single thread."""
    found = {}
    for rule, text in re.findall(r"^rule (\w+):\n(.*?)(?=^\[|\Z)", plan, re.MULTILINE | re.DOTALL):
        numbers = {"threads": 1} | {key: int(number) for key, number in re.findall(r"(\w+)(?:=|: )(\d+)\b", text)}
        if "runtime" in numbers:  # targets have none
            found[rule] = (numbers["threads"], numbers["mem_mb"], numbers["runtime"])
    return found


def test_only_jobs_with_a_network_request_and_get_a_gpu(submitted):
    for job in submitted.jobs:
        uses_network = rule_of(job.rule) in ("train_epoch", "predict")
        assert job.gpus == (1 if uses_network else 0), job
        (devices,) = submitted.devices[job.number]
        assert devices in ([str(index) for index in range(GPUS)] if uses_network else ["none"]), job


def test_a_killed_job_is_resubmitted_with_more_resources(submitted):
    killed, resubmitted = [job for job in submitted.jobs if job.rule == KILLED]
    assert (killed.state, resubmitted.state) == ("CANCELLED", "COMPLETED")
    assert (resubmitted.memory_mb, resubmitted.minutes) == (2 * killed.memory_mb, 2 * killed.minutes)
    logs = submitted.run.folder / ".snakemake/slurm_logs"
    assert [path.stem for path in logs.rglob("*.log")] == [killed.number]  # logs of completed jobs are removed


def test_no_submission_exceeds_the_limits_of_the_profile(submitted):
    options = ("--dry-run", "--printshellcmds", "--forcerun", "train_epoch", "--attempt", "5")
    plan = output_of(command(submitted.run, "train", *options))
    assert "runtime=1440" in plan
    assert "mem_mb=96000" in plan


def test_the_results_equal_those_of_a_run_without_slurm(submitted, local):
    with_slurm, without_slurm = result_digests(submitted.run), result_digests(local)
    assert [name for name in with_slurm | without_slurm if with_slurm.get(name) != without_slurm.get(name)] == []
    assert len(with_slurm) >= 30


def test_neither_way_of_running_reruns_results_of_the_other(submitted, local):
    assert submitted.run.planned(TARGET) == Counter()
    assert "Nothing to be done" in output_of(command(local, TARGET, "--dry-run"))


def test_environment_variables_reach_the_node(submitted):
    assert list((submitted.run.results / "logs/tensorboard").rglob("events.*"))


def test_a_training_on_the_cpu_requests_no_gpu(submitted, cluster):
    run = submitted.run.copy(submitted.run.folder.parent / "on the CPU")
    run.configure({"cohort": {"shards": 2}, "training": {"epochs": 1}})
    before = len(cluster.jobs())
    output_of(command(run, "train"))
    (job,) = cluster.jobs()[before:]
    assert (rule_of(job.rule), job.state, job.gpus) == ("train_epoch", "COMPLETED", 0)
    assert cluster.devices()[job.number] == {"none"}
