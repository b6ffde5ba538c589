"""Ways in which a running workflow is interrupted."""

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
class Running:
    """A workflow under way, as the foreground job of a terminal of its own."""

    workflow: Workflow
    process: subprocess.Popen

    def jobs(self) -> dict[int, str]:
        """The processes of jobs, with the name of their script: all that run in its folder and are not Snakemake."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                at_home = (entry / "cwd").readlink() == self.workflow.folder.resolve()
                command = (entry / "cmdline").read_text()
            except OSError:  # gone meanwhile, or not ours
                continue
            if at_home and int(entry.name) != self.process.pid and command:
                script = re.search(r"python[^\0]*\0[^\0]*scripts/(\w+)\.py", command)
                found[int(entry.name)] = script[1] if script else SHELL
        return found

    def scripts(self) -> set[str]:
        """The scripts that run."""
        return {*self.jobs().values()} - {SHELL}

    def wait_for(self, ready: Callable[[], object], seconds: float = 120) -> bool:
        """Wait until `ready`, and say whether that came before the workflow's end."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return True

    def ended(self, seconds: float) -> bool:
        """Whether no process of a job is left, or none after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.jobs() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.jobs()

    def kill(self, kind: str) -> None:
        """Interrupt in one of the ways of `KINDS`, and wait until Snakemake has ended."""
        KINDS[kind](self)
        self.process.wait()

    def said(self) -> str:
        """What Snakemake and the jobs have said."""
        return (self.workflow.folder / "said.txt").read_text()


def start(workflow: Workflow, *targets: str) -> Running:
    """Start a run, with the one option that Snakemake asks for after an interruption."""
    with (workflow.folder / "said.txt").open("w") as said:
        command = workflow.command(*targets, options=("--rerun-incomplete",))
        # Where the tests run in the background of a shell, Ctrl-C is ignored; not so by what they start.
        command = ["env", "--default-signal=INT", *command]
        return Running(workflow, subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True))


def unlock(workflow: Workflow) -> None:
    """Unlock, where Snakemake would ask for it."""
    if list((workflow.folder / ".snakemake/locks").glob("*")):
        completed = workflow.run(options=("--unlock",))
        assert completed.returncode == 0, completed.stdout


def _job_alone(running: Running) -> None:
    while running.wait_for(running.scripts):
        for process, script in sorted(running.jobs().items(), reverse=True):
            if script != SHELL:
                with suppress(ProcessLookupError):  # it has ended just now: another one, then
                    os.kill(process, signal.SIGKILL)
                    return


KINDS: dict[str, Callable[[Running], None]] = {
    "Ctrl-C": lambda running: os.killpg(running.process.pid, signal.SIGINT),
    "Snakemake alone": lambda running: os.kill(running.process.pid, signal.SIGKILL),
    "a job alone": _job_alone,
    "all at once": lambda running: os.killpg(running.process.pid, signal.SIGKILL),
}
