"""Keeps a cluster of one node alive for as long as its standard input is open, then stops and removes all of it.

A process of its own, so that the cluster ends with the tests however they end: a configuration that is left behind,
without its controller, would delay every start of Snakemake on this machine by seconds.
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

PATIENCE_S = 30
TASK_PROLOG = """#!/bin/sh
echo "$SLURM_JOB_ID ${CUDA_VISIBLE_DEVICES:-none}" >> %s
"""


def main(folder: Path) -> None:
    """Start the cluster, say `ready`, and wait for the end of the input."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        configuration.write(folder)
        stack.callback(configuration.remove)
        furnish(folder)
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        start(stack, "munged", "--foreground", "--force", *[f"--{key}={folder}/munge.{files[key]}" for key in files])
        wait_until((folder / "munge.socket").exists)
        start(stack, "slurmctld", "-D")
        start(stack, "slurmd", "-D")
        stack.callback(end_jobs)
        if not wait_until(lambda: said("sinfo", "--noheader", "--format=%T") == "idle"):
            raise SystemExit(f"no cluster came up; see the logs in {folder}")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


def furnish(folder: Path) -> None:
    """What the daemons need. A GPU is a character device, here another /dev/null."""
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
    """Start a daemon that is stopped with the stack, and that Linux kills should this process be killed."""
    command = ["setpriv", "--pdeathsig=KILL", str(configuration.program(name)), *options]
    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(daemon.wait)
    stack.callback(daemon.terminate)


def end_jobs() -> None:
    """Cancel all jobs and wait until their processes are gone."""
    said("scancel", "--user=root")
    wait_until(lambda: said("squeue", "--noheader") == "")


def said(*command: str) -> str:
    """What a command of Slurm says."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def wait_until(holds: Callable[[], bool]) -> bool:
    """Wait for something that takes a moment, and say whether it came."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
