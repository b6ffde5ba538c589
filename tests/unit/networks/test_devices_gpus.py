"""Which GPUs a process takes: real processes, and GPUs that torch only believes to see. Untried on real ones."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest
import torch

from tests.support.builders import REPOSITORY
from tumorseg.networks.devices import visible_gpus

TAKER = """
import os, sys, torch
from tumorseg.networks import devices
torch.cuda.device_count = lambda: os.environ["CUDA_VISIBLE_DEVICES"].count(",") + 1
devices._POLL_S = 0.05
devices.reserve_gpus(int(sys.argv[1]))
devices.reserve_gpus(int(sys.argv[1]))  # changes nothing
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def gpus() -> list[str]:
    """The names of three GPUs that no other test on this machine has."""
    return [f"GPU-{uuid4()}" for _ in range(3)]


@pytest.fixture
def start():
    """Starts a process that takes so many of the GPUs and holds them."""
    processes = []

    def starter(visible: list[str], wanted: int = 1, **variables: str) -> subprocess.Popen:
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts"), **variables}
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(visible)
        command, pipe = [sys.executable, "-c", TAKER, str(wanted)], subprocess.PIPE
        processes.append(subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        return processes[-1]

    yield starter
    for process in processes:
        process.kill()
        process.communicate()


def has(process: subprocess.Popen) -> list[str]:
    """What it has taken; waits until it has."""
    return process.stdout.readline().strip().split(",")


def test_two_jobs_take_a_gpu_each_and_a_third_waits_until_one_of_them_is_killed(start, gpus):
    jobs = [start(gpus[:2]), start(gpus[:2])]
    taken = [has(job) for job in jobs]
    assert sorted(taken) == sorted([name] for name in gpus[:2])
    third = start(gpus[:2])
    assert f"waiting for 1 of the GPUs {gpus[0]}, {gpus[1]}" in third.stderr.readline()
    jobs[1].kill()
    assert has(third) == taken[1]


def test_a_job_that_needs_two_takes_two_or_none(start, gpus):
    first = start(gpus)
    assert has(first) == gpus[:1]
    assert has(start(gpus, wanted=2)) == gpus[1:]
    waiting = start(gpus, wanted=2)
    assert "waiting for 2 of the GPUs" in waiting.stderr.readline()
    first.kill()
    assert has(start(gpus)) == gpus[:1]


def test_a_job_that_wants_all_waits_too(start, gpus):
    first = start(gpus[:1])
    assert has(first) == gpus[:1]
    second = start(gpus[:1])
    assert f"waiting for 1 of the GPUs {gpus[0]}" in second.stderr.readline()
    first.kill()
    assert has(second) == gpus[:1]


def test_a_job_that_wants_more_than_there_are_takes_all(start, gpus):
    """What becomes of it is the caller's word."""
    assert has(start(gpus[:2], wanted=3)) == gpus[:2]


def test_a_job_that_wants_none_takes_none(start, gpus):
    assert has(start(gpus, wanted=0)) == gpus
    assert has(start(gpus, wanted=3)) == gpus


@pytest.mark.parametrize("scheduler", ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"])
def test_allocations_of_a_scheduler_may_each_number_their_gpus_from_0(start, gpus, scheduler):
    jobs = [start(gpus[:1], **{scheduler: allocation}) for allocation in ("17", "18")]
    assert [has(job) for job in jobs] == [gpus[:1], gpus[:1]]
    assert "waiting" in start(gpus[:1], **{scheduler: "17"}).stderr.readline()


def test_the_processes_of_torchrun_see_all_that_it_has_taken(start, gpus):
    assert has(start(gpus, WORLD_SIZE="2")) == gpus


def test_only_gpus_that_torch_sees_count(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,-1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert visible_gpus() == ["3"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert visible_gpus() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert visible_gpus() == ["0", "1"]
