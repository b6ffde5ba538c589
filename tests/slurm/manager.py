"""Run a cluster of one node while the standard input is open, then stop it and remove its files.

This is a separate process, so that the cluster also stops when the tests are killed. A stale configuration without a
controller would delay every start of Snakemake on this machine by seconds.
"""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.slurm import configuration

TIMEOUT_S = 30
TASK_PROLOG = """#!/bin/sh
echo "$SLURM_JOB_ID ${CUDA_VISIBLE_DEVICES:-none}" >> %s
"""


def main(folder: Path) -> None:
    """Start the cluster, print `ready`, and wait for the end of the input."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        configuration.write(folder)
        stack.callback(configuration.remove)
        write_cluster_files(folder)
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        start(stack, "munged", "--foreground", "--force", *[f"--{key}={folder}/munge.{files[key]}" for key in files])
        wait_until((folder / "munge.socket").exists)
        start(stack, "slurmctld", "-D")
        start(stack, "slurmd", "-D")
        stack.callback(end_jobs)
        if not wait_until(lambda: output_of("sinfo", "--noheader", "--format=%T") == "idle"):
            raise SystemExit(f"the cluster did not start; see the logs in {folder}")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


def write_cluster_files(folder: Path) -> None:
    """Write the files that the daemons need. A GPU is a character device, here a copy of /dev/null."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    for index in range(configuration.GPUS):
        os.mknod(folder / f"gpu{index}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    prolog = folder / "task-prolog"
    prolog.write_text(TASK_PROLOG % (folder / "devices"))
    prolog.chmod(0o755)


def start(stack: ExitStack, name: str, *options: str) -> None:
    """Start a daemon. The stack stops it, and Linux kills it if this process is killed."""
    command = ["setpriv", "--pdeathsig=KILL", str(configuration.program(name)), *options]
    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(daemon.wait)
    stack.callback(daemon.terminate)


def end_jobs() -> None:
    """Cancel all jobs, and wait for the end of their processes."""
    output_of("scancel", "--user=root")
    wait_until(lambda: output_of("squeue", "--noheader") == "")


def output_of(*command: str) -> str:
    """Run a command of Slurm, and return its output."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds, at most `TIMEOUT_S`. Return whether it holds."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
