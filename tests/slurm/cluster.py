"""A real Slurm with one node for tests, and its records of jobs."""

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
    """A job as Slurm reports it. rule: with wildcards, from the comment that the plugin writes."""

    number: str
    rule: str
    state: str
    cpus: int
    memory_mb: int
    minutes: int
    gpus: int


@dataclass(frozen=True)
class Cluster:
    """A running cluster. folder: has its files."""

    folder: Path

    def jobs(self) -> list[Job]:
        """Return all submitted jobs in order."""
        lines = scontrol("show", "jobs", "--oneliner").splitlines()
        return sorted((parse_job(line) for line in lines if "JobId=" in line), key=lambda job: int(job.number))

    def devices(self) -> dict[str, set[str]]:
        """Return CUDA_VISIBLE_DEVICES of each job's tasks by job number; `none` if it is not set."""
        found: dict[str, set[str]] = {}
        for line in (self.folder / "devices").read_text().splitlines():
            number, devices = line.split()
            found.setdefault(number, set()).add(devices)
        return found


def scontrol(*arguments: str) -> str:
    """Run scontrol, and return its output."""
    return subprocess.run(["scontrol", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def parse_job(line: str) -> Job:
    """Return the job on a line of `scontrol show jobs`."""
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
    """Return an amount of memory, such as `1000M` or `1.50G`, in MB of Slurm (2**20 bytes)."""
    return round(float(amount[:-1]) * {"M": 1, "G": 1024}[amount[-1]])


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Start a cluster that stops at the end of the block."""
    command = [sys.executable, "-m", "tests.slurm.manager", str(folder)]
    manager = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C must only stop the tests
    )
    assert manager.stdin is not None
    assert manager.stdout is not None
    try:
        assert manager.stdout.readline() == "ready\n", "the cluster did not start; see the output of its manager"
        yield Cluster(folder)
    finally:
        manager.stdin.close()
        manager.wait()
