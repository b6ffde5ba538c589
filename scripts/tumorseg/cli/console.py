"""The terminal output and the log file of a job: both get the same lines."""

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

FOR_PEOPLE_ONLY: Final = "Shows and logs what a job says; no result holds any of it."
"""See `tumorseg.codedigest.known`."""
logger = logging.getLogger("tumorseg")
WORKFLOW: Final = "WORKFLOW_PROCESS"
"""Environment variable: the process without which a job does not go on. The workflow sets it to its own."""
RUN_FOLDER: Final = "WORKFLOW_FOLDER"
"""Environment variable: a folder that lasts as long as a run and its jobs. They note in it what they said once."""
CORES: Final = "WORKFLOW_CORES"
"""Environment variable: CPU cores that all jobs of a run share."""
ONCE: Final[dict[str, bool]] = {"once": True}
"""`extra` of a message that the terminal shows in the first job of a run only; each log has it."""


def record_path(log: Path) -> Path:
    """Return where the record of a job lies: `fold-0.job.json` beside `fold-0.log`."""
    return log.with_suffix(".job.json")


@contextmanager
def job(name: str, log: Path | None, *, quiet: bool = False) -> Iterator[None]:
    """Run a job whose messages go to the terminal, headed by `name`, and to the file `log`.

    At the end the log receives the job's seconds and its peak memory. A program reads these from the job's record
    instead (`record_path`): `finished`, the local time; `seconds`; `peak_memory_mib`; and `computed_in`, precision and
    device of the network, as the `extra` of a log call gives it, empty without one. A killed job has no record.
    A `UserError` is told in its own words and ends the process with status 1; any other exception leaves its traceback
    in the log as well as on the terminal. Ctrl-C is told in a line, and ends it with status 130; so does the end of the
    process that `WORKFLOW` names. Where a job says nothing for a while, the terminal shows that it is at work.
    quiet: no log, and unexpected errors only, for a process that helps another one with the same job.
    """
    log = None if quiet else log
    terminal = _Terminal(name)
    logger.setLevel(logging.ERROR if quiet else logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [terminal]
    heartbeat = None if quiet else Heartbeat(terminal.show_work)
    terminal.heartbeat = heartbeat
    began = time.monotonic()
    written = None
    try:
        if log is not None:
            written = _LogFile(log)
            logger.addHandler(written)
        if WORKFLOW in os.environ and not quiet:  # a helper ends with the process that it helps
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
    """Whether no other job of this run has shown a message that is to be shown once."""
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
    """The job's lines on the terminal, each headed by its name."""

    def __init__(self, name: str) -> None:
        super().__init__(sys.stderr)
        self._name = name
        self.heartbeat: Heartbeat | None = None
        self.setFormatter(logging.Formatter(f"{name}: %(message)s"))
        self.addFilter(_is_first_time)

    def emit(self, record: logging.LogRecord) -> None:
        if self.heartbeat:
            self.heartbeat.heard()
        super().emit(record)

    def show_work(self, seconds: float) -> None:
        """Print a line that no log needs: the job is at work since so many seconds."""
        print(f"{self._name}: at work for {clock(seconds)}", file=self.stream)


class _LogFile(logging.FileHandler):
    """The log and the record, less what their disk has no room for: a job goes on, and the terminal has it all."""

    def __init__(self, path: Path) -> None:
        self._record = record_path(path)
        self._computed_in = ""
        with report_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            super().__init__(path, mode="w", encoding="utf-8")
            self._record.unlink(missing_ok=True)  # that of a run before
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
    """Most memory that this process held at any time, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count what the parent held when it started this process
        return int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


class Progress:
    """Counts the steps of a long job and says how far it is, at most every `every` seconds and at the last step."""

    def __init__(self, total: int, unit: str, every: float = 5.0) -> None:
        self._total, self._unit, self._every = total, unit, every
        self._done = 0
        self._began = self._said = time.monotonic()

    def step(self, detail: str = "") -> None:
        """One more step is done; `detail` (a case, a loss) joins the line if one is due."""
        self._done += 1
        now = time.monotonic()
        if now - self._said < self._every and self._done < self._total:
            return
        self._said = now
        left = (now - self._began) / self._done * (self._total - self._done)
        line = f"{self._unit} {self._done}/{self._total}"
        line += f", {detail}" if detail else ""
        line += f", {clock(left)} left" if self._done < self._total else f", done in {clock(now - self._began)}"
        logger.info("%s", line)
