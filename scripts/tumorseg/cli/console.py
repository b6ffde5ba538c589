"""Write the lines of a job to the terminal and to its log file."""

import hashlib
import logging
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from tumorseg.cli.heartbeat import Heartbeat, clock
from tumorseg.cli.processes import exit_with_process
from tumorseg.errors import UserError
from tumorseg.io.files import report_os_errors, write_json

_LOADED = time.monotonic()
"""When this module was imported. Scripts import it before the packages that take seconds to load."""
FOR_PEOPLE_ONLY: Final = "Prints and logs the lines of a job; no result contains them."
"""See `tumorseg.codedigest.special_names`."""
logger = logging.getLogger("tumorseg")
WORKFLOW: Final = "WORKFLOW_PROCESS"
"""Environment variable: id of the process of the workflow. A job ends when this process ends."""
RUN_FOLDER: Final = "WORKFLOW_FOLDER"
"""Environment variable: a folder that exists during a run. Jobs note in it the messages to print only once."""
CORES: Final = "WORKFLOW_CORES"
"""Environment variable: number of CPU cores that all jobs of a run share."""
ONCE: Final[dict[str, bool]] = {"once": True}
"""`extra` of a message that the terminal shows only once in a run; every log has it."""


def job_record_path(log: Path) -> Path:
    """Return the path of a job's record: `fold-0.job.json` beside `fold-0.log`."""
    return log.with_suffix(".job.json")


@contextmanager
def job(name: str, log: Path | None, *, quiet: bool = False) -> Iterator[None]:
    """Run a job whose messages go to the terminal and to its log; use it in a `with` statement.

    The last line of the log has the run time and the peak memory. The record beside the log (`job_record_path`) is for
    programs. It has `finished` (local time), `seconds`, `peak_memory_mib`, and `computed_in` (precision and device of
    the network, from the `extra` of a log call, or empty). A killed job has no record. If a job prints nothing for a
    while, the terminal shows that it is at work.

    Args:
        name: heads each line on the terminal.
        log: the log file; None for no log.
        quiet: whether to write no log and to print only unexpected errors, for a process that helps another one.

    Raises:
        SystemExit: the job failed. The status is 1 after an error: a `UserError` is shown as its message, any other
            exception with its traceback. It is 130 after Ctrl-C and after the end of the process in `WORKFLOW`.
    """
    log = None if quiet else log
    terminal = _Terminal(name)
    logger.setLevel(logging.ERROR if quiet else logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [terminal]
    # In a job of the workflow, nothing has been printed since the script started.
    silent_since = _LOADED if WORKFLOW in os.environ else None
    heartbeat = None if quiet else Heartbeat(terminal.show_work, silent_since=silent_since)
    terminal.heartbeat = heartbeat
    began = time.monotonic()
    written = None
    try:
        if log is not None:
            written = _LogFile(log)
            logger.addHandler(written)
        if WORKFLOW in os.environ and not quiet:  # a helper ends together with the process that it helps
            exit_with_process(int(os.environ[WORKFLOW]))
        yield
    except UserError as error:
        if not quiet:
            logger.error("%s", error)
        raise SystemExit(1) from None
    except KeyboardInterrupt as interrupt:
        if not quiet:
            logger.error("%s", ": ".join(["interrupted", *map(str, interrupt.args)]))
        raise SystemExit(130) from None
    except Exception:
        logger.exception("stopped by an unexpected error")
        raise SystemExit(1) from None
    finally:
        if heartbeat:
            heartbeat.stop()
        if written is not None:
            written.end(time.monotonic() - began, _peak_memory_mib())
        logger.handlers.clear()


def _is_first_time(record: logging.LogRecord) -> bool:
    """Return whether to show a message: False if it is to be shown once and a job of this run has shown it."""
    folder = os.environ.get(RUN_FOLDER)
    if not folder or not getattr(record, "once", False):
        return True
    try:
        Path(folder, f"said-{hashlib.sha256(record.getMessage().encode()).hexdigest()}").touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:  # on another machine
        return True
    return True


class _Terminal(logging.StreamHandler[TextIO]):
    """Prints the job's lines on the terminal, each headed by its name."""

    def __init__(self, name: str) -> None:
        super().__init__(sys.stderr)
        self._name = name
        self.heartbeat: Heartbeat | None = None
        self.setFormatter(logging.Formatter(f"{name}: %(message)s"))
        self.addFilter(_is_first_time)

    def emit(self, record: logging.LogRecord) -> None:
        if self.heartbeat:
            self.heartbeat.reset()
        super().emit(record)

    def show_work(self, seconds: float) -> None:
        """Print for how many seconds the job has been at work. The log does not need this line."""
        print(f"{self._name}: at work for {clock(seconds)}", file=self.stream)


class _LogFile(logging.FileHandler):
    """Writes the log and the record. A full disk does not stop the job: the terminal shows every line."""

    def __init__(self, path: Path) -> None:
        self._record = job_record_path(path)
        self._computed_in = ""
        with report_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            super().__init__(path, mode="w", encoding="utf-8")
            self._record.unlink(missing_ok=True)  # of an earlier run
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._computed_in = getattr(record, "computed_in", self._computed_in)
        super().emit(record)

    def end(self, seconds: float, peak_memory_mib: float) -> None:
        """Write the last line of the log and the record."""
        last, amounts = "%.1f s, peak memory %.0f MiB", (seconds, peak_memory_mib)
        self.handle(logger.makeRecord(logger.name, logging.INFO, "", 0, last, amounts, None))
        self.close()
        content = {
            "finished": time.strftime("%Y-%m-%d %H:%M:%S"),
            "seconds": round(seconds, 1),
            "peak_memory_mib": round(peak_memory_mib),
            "computed_in": self._computed_in,
        }
        with suppress(OSError, UserError):
            write_json(self._record, content)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _peak_memory_mib() -> float:
    """Return the peak memory of this process in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss includes the parent's memory at the start of this process
        return int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


class Progress:
    """Counts the steps of a long job and logs its progress.

    Args:
        total: number of steps.
        unit: name of a step, such as `case`.
        every_s: least time between two lines, in seconds. The last step always has a line.
    """

    def __init__(self, total: int, unit: str, every_s: float = 5.0) -> None:
        self._total, self._unit, self._every_s = total, unit, every_s
        self._done = 0
        self._began = self._shown = time.monotonic()

    def step(self, detail: str = "") -> None:
        """Count a finished step. If a line is due, it includes `detail`, such as a case or a loss."""
        self._done += 1
        now = time.monotonic()
        if now - self._shown < self._every_s and self._done < self._total:
            return
        self._shown = now
        left = (now - self._began) / self._done * (self._total - self._done)
        line = f"{self._unit} {self._done}/{self._total}"
        line += f", {detail}" if detail else ""
        line += f", {clock(left)} left" if self._done < self._total else f", done in {clock(now - self._began)}"
        logger.info("%s", line)
