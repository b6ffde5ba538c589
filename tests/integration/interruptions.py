"""Start and interrupt runs of the workflow."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.integration.workflow import Workflow

SHELL = "a shell"


@dataclass(frozen=True)
class RunningWorkflow:
    """A running workflow in its own session, as in a terminal of its own."""

    workflow: Workflow
    process: subprocess.Popen

    def jobs(self) -> dict[int, str]:
        """Return the script of each process in the folder, by process id, without Snakemake itself."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                in_folder = (entry / "cwd").readlink() == self.workflow.folder.resolve()
                command = (entry / "cmdline").read_text()
            except OSError:  # it has ended, or belongs to another user
                continue
            if in_folder and int(entry.name) != self.process.pid and command:
                script = re.search(r"python[^\0]*\0[^\0]*scripts/(\w+)\.py", command)
                found[int(entry.name)] = script[1] if script else SHELL
        return found

    def scripts(self) -> set[str]:
        """Return the names of the running scripts."""
        return {*self.jobs().values()} - {SHELL}

    def wait_for(self, ready: Callable[[], object], seconds: float = 120) -> bool:
        """Wait until `ready` or the end of the workflow. Return whether `ready` came first."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return True

    def jobs_ended(self, seconds: float) -> bool:
        """Wait for the end of all jobs, at most so many seconds. Return whether they have ended."""
        deadline = time.monotonic() + seconds
        while self.jobs() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.jobs()

    def kill(self, kind: str) -> None:
        """Interrupt in one of the ways of `INTERRUPTIONS`, and wait for the end of Snakemake."""
        INTERRUPTIONS[kind](self)
        self.process.wait()

    def output(self) -> str:
        """Return the output of Snakemake and its jobs."""
        return (self.workflow.folder / "output.txt").read_text()


def start(workflow: Workflow, *targets: str) -> RunningWorkflow:
    """Start a run with --rerun-incomplete, which Snakemake requires after an interruption."""
    with (workflow.folder / "output.txt").open("w") as output:
        command = workflow.command(*targets, options=("--rerun-incomplete",))
        # A shell makes its background jobs ignore Ctrl-C. The run must not inherit that from the tests.
        command = ["env", "--default-signal=INT", *command]
        return RunningWorkflow(
            workflow, subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        )


def unlock(workflow: Workflow) -> None:
    """Unlock the folder if an interrupted run has left locks."""
    if list((workflow.folder / ".snakemake/locks").glob("*")):
        completed = workflow.run(options=("--unlock",))
        assert completed.returncode == 0, completed.stdout


def _kill_a_job(running: RunningWorkflow) -> None:
    while running.wait_for(running.scripts):
        for process, script in sorted(running.jobs().items(), reverse=True):
            if script != SHELL:
                with suppress(ProcessLookupError):  # it has just ended; try another one
                    os.kill(process, signal.SIGKILL)
                    return


INTERRUPTIONS: dict[str, Callable[[RunningWorkflow], None]] = {
    "Ctrl-C": lambda running: os.killpg(running.process.pid, signal.SIGINT),
    "Snakemake alone": lambda running: os.kill(running.process.pid, signal.SIGKILL),
    "a job alone": _kill_a_job,
    "all at once": lambda running: os.killpg(running.process.pid, signal.SIGKILL),
}
