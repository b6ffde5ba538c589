"""The GPUs that a process reserves: real processes with pretended GPUs. Not yet tried on real GPUs."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest
import torch

from tests.support.builders import REPOSITORY
from tumorseg.networks.devices import visible_gpus

RESERVING_PROCESS = """
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
    """Return names of three GPUs that no other test on this machine uses."""
    return [f"GPU-{uuid4()}" for _ in range(3)]


@pytest.fixture
def start():
    """Return a function that starts a process, which reserves GPUs until it ends."""
    processes = []

    def starter(visible: list[str], wanted: int = 1, **variables: str) -> subprocess.Popen:
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts"), **variables}
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(visible)
        command, pipe = [sys.executable, "-c", RESERVING_PROCESS, str(wanted)], subprocess.PIPE
        processes.append(subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        return processes[-1]

    yield starter
    for process in processes:
        process.kill()
        process.communicate()


def reserved_by(process: subprocess.Popen) -> list[str]:
    """Return the GPUs that the process sees, once it has reserved them."""
    return process.stdout.readline().strip().split(",")


def test_two_jobs_reserve_a_gpu_each_and_a_third_waits_until_one_is_killed(start, gpus):
    jobs = [start(gpus[:2]), start(gpus[:2])]
    reserved = [reserved_by(job) for job in jobs]
    assert sorted(reserved) == sorted([name] for name in gpus[:2])
    third = start(gpus[:2])
    assert f"waiting for 1 of the GPUs {gpus[0]}, {gpus[1]}" in third.stderr.readline()
    jobs[1].kill()
    assert reserved_by(third) == reserved[1]


@pytest.mark.slow
def test_a_job_that_needs_two_gpus_reserves_two_or_none(start, gpus):
    first = start(gpus)
    assert reserved_by(first) == gpus[:1]
    assert reserved_by(start(gpus, wanted=2)) == gpus[1:]
    waiting = start(gpus, wanted=2)
    assert "waiting for 2 of the GPUs" in waiting.stderr.readline()
    first.kill()
    assert reserved_by(start(gpus)) == gpus[:1]


def test_a_job_that_needs_all_gpus_waits_for_all(start, gpus):
    first = start(gpus[:1])
    assert reserved_by(first) == gpus[:1]
    second = start(gpus[:1])
    assert f"waiting for 1 of the GPUs {gpus[0]}" in second.stderr.readline()
    first.kill()
    assert reserved_by(second) == gpus[:1]


def test_a_job_that_needs_more_gpus_than_there_are_reserves_all(start, gpus):
    """The caller decides whether they are enough."""
    assert reserved_by(start(gpus[:2], wanted=3)) == gpus[:2]


def test_a_job_that_needs_no_gpu_reserves_none(start, gpus):
    assert reserved_by(start(gpus, wanted=0)) == gpus
    assert reserved_by(start(gpus, wanted=3)) == gpus


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"])
def test_each_allocation_of_a_scheduler_may_number_its_gpus_from_0(start, gpus, scheduler):
    jobs = [start(gpus[:1], **{scheduler: allocation}) for allocation in ("17", "18")]
    assert [reserved_by(job) for job in jobs] == [gpus[:1], gpus[:1]]
    assert "waiting" in start(gpus[:1], **{scheduler: "17"}).stderr.readline()


def test_the_processes_of_torchrun_see_all_its_gpus(start, gpus):
    assert reserved_by(start(gpus, WORLD_SIZE="2")) == gpus


def test_only_gpus_that_torch_sees_are_visible(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,-1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert visible_gpus() == ["3"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert visible_gpus() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert visible_gpus() == ["0", "1"]
