"""A real run through the Slurm profile on a real Slurm, a job of it killed, beside the same run without Slurm."""

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

from tests.integration.results import content
from tests.integration.workflow import Workflow
from tests.slurm.cluster import Cluster, Job, running
from tests.slurm.configuration import GPUS, hindrance
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
"""The environment of a user who has not activated the packages' environment; jobs get what the rules add to it."""


def command(run: Workflow, *arguments: str) -> list[str]:
    """Snakemake with the profile as it stands."""
    snakemake = [sys.executable, "-m", "tests.slurm.impatient", "--snakefile", "Snakefile", *arguments]
    place = ["--directory", str(run.folder), "--configfile", str(run.folder / "tiny.yaml")]
    return [*snakemake, "--workflow-profile", "workflow/profiles/slurm", *place]


def said(arguments: list[str]) -> str:
    """What a command says, where it succeeds."""
    completed = subprocess.run(
        arguments, cwd=REPOSITORY, env=BARE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout[-8000:]
    return completed.stdout


@dataclass(frozen=True)
class Submitted:
    """A run through Slurm: jobs as Slurm tells of them, devices by their numbers, what was planned before."""

    run: Workflow
    planned: Counter[str]
    plan: str
    jobs: list[Job]
    devices: dict[str, set[str]]

    def finished(self) -> dict[str, Job]:
        """The jobs that came to a good end, by rule and wildcards."""
        return {job.rule: job for job in self.jobs if job.state == "COMPLETED"}


@pytest.fixture(scope="module", autouse=True)
def possible() -> None:
    reason = hindrance()
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
def submitted(cluster, tmp_path_factory) -> Submitted:
    """A run in which the second epoch's job is cancelled while it trains."""
    run = Workflow(tmp_path_factory.mktemp("submitted") / "run")
    run.configure(SETTINGS)
    planned, plan = run.planned(TARGET), said(command(run, TARGET, "--dry-run", "--printshellcmds"))
    with (run.folder / "said.txt").open("w") as output:
        process = subprocess.Popen(
            command(run, TARGET), cwd=REPOSITORY, env=BARE, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        cancel(cluster, run, process)
        process.wait()
    finally:
        process.kill()
    assert process.returncode == 0, (run.folder / "said.txt").read_text()[-8000:]
    return Submitted(run, planned, plan, cluster.jobs(), cluster.devices())


def cancel(cluster: Cluster, run: Workflow, process: subprocess.Popen) -> None:
    """Wait until the job that is to be killed trains, and kill it as an administrator does."""
    log = run.results / "logs/train_epoch/fold-0-epoch-0002.log"
    deadline = time.monotonic() + 300
    while not (log.exists() and "steps an epoch" in log.read_text()):
        assert process.poll() is None, (run.folder / "said.txt").read_text()[-8000:]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (number,) = [job.number for job in cluster.jobs() if job.rule == KILLED and job.state == "RUNNING"]
    subprocess.run(["scancel", number], check=True)


def rule_of(name: str) -> str:
    """The rule of a job, as the plugin writes it into the job's comment."""
    return name.removeprefix("rule_").partition("_wildcards_")[0]


def test_the_cluster_goes_with_the_tests_also_when_these_are_killed(tmp_path):
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
    while hindrance() is not None or controller.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_every_job_goes_through_slurm(submitted):
    assert Counter(rule_of(name) for name in submitted.finished()) == submitted.planned
    assert {"validate_batch", "normalise_batch", "train_epoch", "predict", "evaluate"} <= set(submitted.planned)


def test_a_job_asks_for_what_its_rule_says(submitted):
    first = {rule_of(job.rule): (job.cpus, job.memory_mb, job.minutes) for job in reversed(submitted.jobs)}
    wanted = requests(submitted.plan)
    assert first == {rule: wanted[rule] for rule in submitted.planned}
    assert first["evaluate"][0] == 4
    assert first["train_epoch"] == (1, 24000, 720)


def requests(plan: str) -> dict[str, tuple[int, int, int]]:
    """CPUs, memory and minutes of each rule in a dry run's plan, which leaves out a single thread."""
    found = {}
    for rule, text in re.findall(r"^rule (\w+):\n(.*?)(?=^\[|\Z)", plan, re.MULTILINE | re.DOTALL):
        numbers = {"threads": 1} | {key: int(number) for key, number in re.findall(r"(\w+)(?:=|: )(\d+)\b", text)}
        if "runtime" in numbers:  # not of targets
            found[rule] = (numbers["threads"], numbers["mem_mb"], numbers["runtime"])
    return found


def test_the_network_asks_for_a_gpu_and_gets_one_and_nothing_else_does(submitted):
    for job in submitted.jobs:
        network = rule_of(job.rule) in ("train_epoch", "predict")
        assert job.gpus == (1 if network else 0), job
        (devices,) = submitted.devices[job.number]
        assert devices in ([str(index) for index in range(GPUS)] if network else ["none"]), job


def test_a_killed_job_is_submitted_again_and_asks_for_more(submitted):
    killed, again = [job for job in submitted.jobs if job.rule == KILLED]
    assert (killed.state, again.state) == ("CANCELLED", "COMPLETED")
    assert (again.memory_mb, again.minutes) == (2 * killed.memory_mb, 2 * killed.minutes)
    logs = submitted.run.folder / ".snakemake/slurm_logs"
    assert [path.stem for path in logs.rglob("*.log")] == [killed.number]  # those of good jobs are removed


def test_no_submission_asks_for_more_than_the_profile_allows(submitted):
    options = ("--dry-run", "--printshellcmds", "--forcerun", "train_epoch", "--attempt", "5")
    plan = said(command(submitted.run, "train", *options))
    assert "runtime=1440" in plan
    assert "mem_mb=96000" in plan


def test_the_results_are_those_of_a_run_without_slurm(submitted, local):
    ours, theirs = content(submitted.run), content(local)
    assert [name for name in ours | theirs if ours.get(name) != theirs.get(name)] == []
    assert len(ours) >= 30


def test_each_takes_the_others_results_for_its_own(submitted, local):
    assert submitted.run.planned(TARGET) == Counter()
    assert "Nothing to be done" in said(command(local, TARGET, "--dry-run"))


def test_settings_that_go_by_variable_arrive_on_the_node(submitted):
    assert list((submitted.run.results / "logs/tensorboard").rglob("events.*"))


def test_a_training_on_the_cpu_asks_for_no_gpu(submitted, cluster):
    run = submitted.run.copy(submitted.run.folder.parent / "on the CPU")
    run.configure({"cohort": {"shards": 2}, "training": {"epochs": 1}})
    before = len(cluster.jobs())
    said(command(run, "train"))
    (job,) = cluster.jobs()[before:]
    assert (rule_of(job.rule), job.state, job.gpus) == ("train_epoch", "COMPLETED", 0)
    assert cluster.devices()[job.number] == {"none"}
