"""Filter and shorten Snakemake's own lines on the terminal: the start of jobs, progress, warnings and errors remain.

The jobs print what they do. Snakemake's log file in `.snakemake/log` has every line.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tumorseg.cli.heartbeat import Heartbeat

HANDLER: Final = "DefaultStreamHandler"
"""Name of Snakemake's handler for the terminal. It does not exist if a logger plugin writes to the terminal."""
NOTHING_TO_DO: Final = "Nothing to be done"
_HIDDEN_EVENTS: Final = ("job_finished", "resources_info", "shellcmd", "workflow_started")
_HIDDEN_LINES: Final = (
    "Assuming unrestricted shared filesystem usage",
    "Conda environments: ignored",
    "Config file ",
    "Execute ",
    "Removing temporary output ",
    "Rules with provenance triggered jobs",
    "Select jobs to execute",
    "Some jobs were triggered by provenance information",
    "Using shell: ",
    "Would remove temporary output ",
)
_HIDDEN_WARNING: Final = "Workflow defines that rule "
"""Start of the hint that a rule could use the shared cache, one for each such rule."""
_COMMAND: Final = re.compile(r"Command '.*' (?=returned |died )", re.DOTALL)
"""The command of a failed job in Snakemake's error, which may be thousands of characters long."""
_NO_RULE: Final = re.compile(r"^No rule to produce (\S+) \(if you use input functions", re.MULTILINE)
_LONGEST_REASON: Final = 300
"""Maximum characters of a reason in a dry run."""
_KILLED: Final = "exit status 137."
_LAST_LINES: Final = ("Complete log(s): ", "Elapsed time: ")
"""Shown only after a failure; after a success the last lines name the results."""


class TerseLines(logging.Formatter):
    """Selects and shortens the lines of Snakemake's handler for the terminal.

    All warnings and errors are shown, except the hint that a rule could use the shared cache.

    Args:
        handler: Snakemake's handler for the terminal.
        is_dry_run: returns whether this is a dry run. A dry run shows a line for each job and a table at the end.
        results: returns the lines about the results (`result_lines`).
        hint: returns a hint for the name of an unknown target.
        heartbeat: shows that Snakemake is still planning; stopped when the first job starts.
        every_s: least time between two lines of progress, in seconds.
    """

    def __init__(
        self,
        handler: logging.Handler,
        *,
        is_dry_run: Callable[[], bool],
        results: Callable[[], list[str]],
        hint: Callable[[str], str],
        heartbeat: Heartbeat | None = None,
        every_s: float = 15,
    ) -> None:
        super().__init__()
        self._handler, self._usual = handler, handler.formatter or logging.Formatter()
        self._is_dry_run, self._results, self._hint, self._heartbeat = is_dry_run, results, hint, heartbeat
        self._every_s, self._shown = every_s, time.monotonic()
        self._failed, self._planned = False, False
        self._started, self._done, self._total = 0, 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to show a record."""
        event, line, fields = event_of(record), str(record.msg), vars(record)
        if self._heartbeat:
            self._heartbeat.reset()
            if event == "job_info" or line.startswith(NOTHING_TO_DO):
                self._heartbeat.stop()
        if record.levelno > logging.INFO:
            self._failed |= record.levelno >= logging.ERROR
            return not line.startswith(_HIDDEN_WARNING)
        if line.startswith(_HIDDEN_LINES):
            return False
        if event == "job_info":
            self._planned, self._shown = True, time.monotonic()
            self._started = min(self._started + 1, self._total)  # a retry starts a job again
            # Without this, Snakemake's handler prints an empty line before a job.
            vars(self._handler)["last_msg_was_job_info"] = True
            return bool(fields["output"]) or self._is_dry_run()  # a target has no output
        if event == "run_info":
            self._total = fields["stats"]["total"]
            return self._planned and self._is_dry_run()
        if event == "progress":
            self._done, self._total = fields["done"], fields["total"]
            return self._is_due()
        return event not in _HIDDEN_EVENTS and (self._failed or not line.startswith(_LAST_LINES))

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        event, fields = event_of(record), vars(record)
        if event == "progress":
            return f"{self._done} of {self._total} jobs done"
        if event == "job_info":
            status = _short_reason(fields["reason"]) if self._is_dry_run() else f"job {self._started} of {self._total}"
            return f"{_job_name(fields['rule_name'], fields['wildcards'])}: {status}"
        if event == "job_error":
            shortened: dict[str, Any] = {"msg": "", "input": [], "output": [], "shellcmd": None}
            return self._usual.format(logging.makeLogRecord({**fields, **shortened}))
        if str(record.msg).startswith(NOTHING_TO_DO):
            return "\n".join([str(record.msg), *self._results()])
        text = _COMMAND.sub("The command ", self._usual.format(record))
        if missing := _NO_RULE.search(text):
            return f"There is no target {missing[1]}. {self._hint(missing[1])}"
        return text.replace(_KILLED, f"{_KILLED[:-1]}: the job was killed, probably because memory ran out.")

    def _is_due(self) -> bool:
        """Return whether to show a line of progress. The last one is left out, since the results follow it."""
        now = time.monotonic()
        if now - self._shown < self._every_s or self._done == self._total:
            return False
        self._shown = now
        return True


def event_of(record: logging.LogRecord) -> str:
    """Return the event of a record of Snakemake; empty if it has none."""
    return str(getattr(record, "event", None) or "")


def result_lines(titles: dict[str, str], requested: Iterable[str], folder: Path) -> list[str]:
    """Return a line `TITLE: PATH` for each result that was requested and exists.

    Args:
        titles: title of each possible result, by its path below `folder`, in the order of the lines.
        requested: paths of all files and folders that the run makes, below `folder`.
        folder: the working directory.
    """
    paths = set(requested)
    found = {path: title for path, title in titles.items() if path in paths and (folder / path).exists()}
    width = max(map(len, found.values()), default=0) + 1
    return [f"{f'{title}:':<{width}} {folder / path}" for path, title in found.items()]


def _job_name(rule: str, wildcards: dict[str, Any] | None) -> str:
    return " ".join([rule, *(f"{name}={value}" for name, value in (wildcards or {}).items())])


def _short_reason(reason: str) -> str:
    """Return a reason with its first files, without the old and new params."""
    text = reason.partition(": Union of exclusive params")[0].partition(": before: ")[0].strip() or "requested"
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
