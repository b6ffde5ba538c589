import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.support.builders import REPOSITORY

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
JOB = """
import time
from pathlib import Path
from tumorseg.cli import console
from tumorseg.io.files import atomic_write
with console.job("a_job", None), atomic_write(Path("result")) as temporary:
    print("began", flush=True)
    time.sleep(60)
"""
LATE = """
import multiprocessing
from unittest.mock import Mock
from tumorseg.cli.processes import initialise_worker
multiprocessing.parent_process = lambda: Mock(is_alive=lambda: False)
initialise_worker()
print("went on")
"""
POOL = """
import os, time
from tumorseg.evaluation.scoring import score_cases
def score(item):
    os.write(1, b"began\\n")
    time.sleep(60)
score_cases([1, 2], score, 2)
"""


def python(code, folder, interrupts="default", **environment):
    """Start Python code and wait until it has printed `began`. interrupts: default | ignore, for SIGINT."""
    process = subprocess.Popen(
        ["env", f"--{interrupts}-signal=INT", sys.executable, "-c", code],
        cwd=folder,
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "began\n"
    return process


@pytest.fixture
def workflow():
    """A process in the place of Snakemake."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("interrupts", ["default", "ignore"])
def test_a_job_ends_with_its_workflow_and_leaves_no_files(tmp_path, workflow, interrupts):
    """The same in the foreground of a shell and in the background, where SIGINT is ignored."""
    job = python(JOB, tmp_path, interrupts, WORKFLOW_PROCESS=str(workflow.pid))
    workflow.kill()
    assert job.communicate(timeout=20)[1] == "a_job: interrupted\n"
    assert job.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_job_whose_workflow_has_ended_does_not_start(tmp_path, workflow):
    workflow.kill()
    workflow.wait()
    environment = {**ENVIRONMENT, "WORKFLOW_PROCESS": str(workflow.pid)}
    job = subprocess.run([sys.executable, "-c", JOB], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (job.returncode, job.stdout) == (130, b"")


def workers_of(job):
    workers = psutil.Process(job.pid).children(recursive=True)
    assert len(workers) == 2
    return workers


def test_the_workers_of_a_pool_do_not_outlive_a_killed_job(tmp_path):
    job = python(POOL, tmp_path)
    workers = workers_of(job)
    job.kill()
    job.wait()
    assert psutil.wait_procs(workers, timeout=10)[1] == []


def test_the_workers_of_a_pool_leave_ctrl_c_to_the_job(tmp_path):
    job = python(POOL.replace("60", "1"), tmp_path)
    workers_of(job)
    assert job.stdout.readline() == "began\n"  # the other worker is ready too
    os.killpg(job.pid, signal.SIGINT)
    assert job.communicate(timeout=20)[1].count("Traceback") == 1


def test_a_worker_whose_parent_has_already_ended_ends():
    worker = subprocess.run([sys.executable, "-c", LATE], env=ENVIRONMENT, stdout=subprocess.PIPE, check=False)
    assert (worker.returncode, worker.stdout) == (1, b"")
