"""What the terminal shows of Snakemake's own lines: which job starts, errors, warnings; no lists of input and output.

The jobs say themselves what they do. Snakemake's log file, in `.snakemake/log`, keeps every line.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tumorseg.cli.heartbeat import Heartbeat

HANDLER: Final = "DefaultStreamHandler"
"""The name of Snakemake's handler for the terminal. Where a logger plugin writes to the terminal, there is none."""
NOTHING_TO_DO: Final = "Nothing to be done"
_HIDDEN_EVENTS: Final = ("job_finished", "resources_info", "shellcmd", "workflow_started")
_HIDDEN_LINES: Final = (
    "Assuming unrestricted shared filesystem usage",
    "Conda environments: ignored",
    "Config file ",
    "Execute ",
    "Rules with provenance triggered jobs",
    "Select jobs to execute",
    "Some jobs were triggered by provenance information",
    "Using shell: ",
    "Workflow defines that rule ",
)
_COMMAND: Final = re.compile(r"Command '.*' (?=returned |died )", re.DOTALL)
"""The command of a failed job in Snakemake's error, which may be thousands of characters long."""
_NO_RULE: Final = re.compile(r"^No rule to produce (\S+) \(if you use input functions", re.MULTILINE)
_LONGEST_REASON: Final = 300
"""Characters of a reason that a dry run shows."""
_KILLED: Final = "exit status 137."
_LAST_LINES: Final = ("Complete log(s): ", "Elapsed time: ")
"""Shown where the run failed; after a success the results stand last."""


class TerseLines(logging.Formatter):
    """Filter and formatter of the terminal's handler. Warnings and errors are always shown.

    Args:
        handler: Snakemake's handler for the terminal.
        is_dry_run: Returns whether jobs are only planned; each then has a line, and all together a table at the end.
        results: Returns the lines about the results, see `lines_of_results`.
        hint: Returns what to do about a target that does not exist, from its name.
        heartbeat: shows that the plan is being made; stopped when the first job starts.
        every_s: the least time between two lines of progress, in seconds.
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
        event, line, of = event_of(record), str(record.msg), vars(record)
        if self._heartbeat:
            self._heartbeat.heard()
            if event == "job_info" or line.startswith(NOTHING_TO_DO):
                self._heartbeat.stop()
        if line.startswith(_HIDDEN_LINES):
            return False
        if record.levelno > logging.INFO:
            self._failed |= record.levelno >= logging.ERROR
            return True
        if event == "job_info":
            self._planned, self._shown = True, time.monotonic()
            self._started = min(self._started + 1, self._total)  # a retry starts a job again
            # Snakemake's handler puts an empty line before a job where this is not set.
            vars(self._handler)["last_msg_was_job_info"] = True
            return bool(of["output"]) or self._is_dry_run()  # targets make nothing
        if event == "run_info":
            self._total = of["stats"]["total"]
            return self._planned and self._is_dry_run()
        if event == "progress":
            self._done, self._total = of["done"], of["total"]
            return self._is_due()
        return event not in _HIDDEN_EVENTS and (self._failed or not line.startswith(_LAST_LINES))

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        event, of = event_of(record), vars(record)
        if event == "progress":
            return f"{self._done} of {self._total} jobs done"
        if event == "job_info":
            told = _short_reason(of["reason"]) if self._is_dry_run() else f"job {self._started} of {self._total}"
            return f"{_job_name(of['rule_name'], of['wildcards'])}: {told}"
        if event == "job_error":
            shortened: dict[str, Any] = {"msg": "", "input": [], "output": [], "shellcmd": None}
            return self._usual.format(logging.makeLogRecord({**of, **shortened}))
        if str(record.msg).startswith(NOTHING_TO_DO):
            return "\n".join([str(record.msg), *self._results()])
        text = _COMMAND.sub("The command ", self._usual.format(record))
        if missing := _NO_RULE.search(text):
            return f"There is no target {missing[1]}. {self._hint(missing[1])}"
        return text.replace(_KILLED, f"{_KILLED[:-1]}: it was killed, mostly because memory ran out.")

    def _is_due(self) -> bool:
        """Whether a line of progress is due. The last one is not: what was made follows it."""
        now = time.monotonic()
        if now - self._shown < self._every_s or self._done == self._total:
            return False
        self._shown = now
        return True


def event_of(record: logging.LogRecord) -> str:
    """The kind of a record of Snakemake's; an empty text where it has none."""
    return str(getattr(record, "event", None) or "")


def lines_of_results(titles: dict[str, str], made: Iterable[str], folder: Path) -> list[str]:
    """Return a line for each result that was asked for and is there, with its path.

    Args:
        titles: what each result is, by its path below `folder`, in the order of the lines.
        made: paths of all files and folders that the run makes, below `folder`.
        folder: the working directory.
    """
    asked = set(made)
    there = {path: title for path, title in titles.items() if path in asked and (folder / path).exists()}
    width = max(map(len, there.values()), default=0) + 1
    return [f"{f'{title}:':<{width}} {folder / path}" for path, title in there.items()]


def _job_name(rule: str, wildcards: dict[str, Any] | None) -> str:
    return " ".join([rule, *(f"{name}={value}" for name, value in (wildcards or {}).items())])


def _short_reason(reason: str) -> str:
    """A reason with its first files, and without params before and now."""
    text = reason.partition(": Union of exclusive params")[0].partition(": before: ")[0].strip() or "asked for"
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
