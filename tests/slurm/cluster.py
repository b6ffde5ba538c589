"""A real Slurm of one node for tests, and its own records of the jobs that it has run."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.builders import REPOSITORY


@dataclass(frozen=True)
class Job:
    """What Slurm says of a job. rule: with the wildcards, as the plugin writes it into the job's comment."""

    number: str
    rule: str
    state: str
    cpus: int
    memory_mb: int
    minutes: int
    gpus: int


@dataclass(frozen=True)
class Cluster:
    """A running cluster with its files in `folder`."""

    folder: Path

    def jobs(self) -> list[Job]:
        """All jobs that were ever submitted, in that order."""
        lines = scontrol("show", "jobs", "--oneliner").splitlines()
        return sorted((job_of(line) for line in lines if "JobId=" in line), key=lambda job: int(job.number))

    def devices(self) -> dict[str, set[str]]:
        """CUDA_VISIBLE_DEVICES in each job's tasks, by the job's number; `none` where it is not set."""
        found: dict[str, set[str]] = {}
        for line in (self.folder / "devices").read_text().splitlines():
            number, devices = line.split()
            found.setdefault(number, set()).add(devices)
        return found


def scontrol(*arguments: str) -> str:
    """What Slurm's controller says."""
    return subprocess.run(["scontrol", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def job_of(line: str) -> Job:
    """A job from its line of `scontrol show jobs`."""
    fields = dict(re.findall(r"(\S+?)=(\S*)", line))
    granted = dict(part.rsplit("=", 1) for part in fields["TRES"].split(","))
    days, _, clock = fields["TimeLimit"].rpartition("-")
    hours, minutes, _ = clock.split(":")
    return Job(
        number=fields["JobId"],
        rule=fields["Comment"],
        state=fields["JobState"],
        cpus=int(granted["cpu"]),
        memory_mb=megabytes(granted["mem"]),
        minutes=(int(days or 0) * 24 + int(hours)) * 60 + int(minutes),
        gpus=int(fields.get("TresPerJob", "gres:gpu:0").rpartition(":")[2]),
    )


def megabytes(amount: str) -> int:
    """Slurm's words for an amount of memory, `1000M` or `1.50G`, in its megabytes."""
    return round(float(amount[:-1]) * {"M": 1, "G": 1024}[amount[-1]])


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster, which ends with the block."""
    command = [sys.executable, "-m", "tests.slurm.keeper", str(folder)]
    keeper = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the tests
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        assert keeper.stdout.readline() == "ready\n", "see what the cluster's keeper has said"
        yield Cluster(folder)
    finally:
        keeper.stdin.close()
        keeper.wait()
