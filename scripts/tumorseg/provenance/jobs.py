"""How long each job took, how much memory it held and on what it computed, from the logs and Snakemake's benchmarks."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.tables import read_table
from tumorseg.training.epochs import checkpoint_epochs

_END: Final = re.compile(r"^(\S+ \S+),\d+ INFO ([\d.]+) s, peak memory (\d+) MiB$", re.MULTILINE)
"""Last line of a log, as `tumorseg.console` writes it."""
_DEVICE: Final = re.compile(r" INFO .*?(?:computing in )?((?:fp16|bf16|fp32) on .+)$", re.MULTILINE)
COLUMNS: Final = ("rule", "job", "finished", "seconds", "peak_memory_mib", "computed_in")


@dataclass(frozen=True)
class Job:
    """A finished job. job: its batch, fold or epoch; empty where the rule has one. finished: local time of its machine.

    seconds: from the script's start, imports left out. peak_memory: MiB, of all its processes together where Snakemake
    has measured that (not of a training by several processes: of the first). computed_in: precision and device of the
    network, if it used it.
    """

    rule: str
    job: str
    finished: str
    seconds: float
    peak_memory: float
    computed_in: str


def names(configuration: Mapping[str, Any], batches: Iterable[str]) -> set[str]:
    """What the jobs of rules with more than one are called: "batch-003", "fold-0", "fold-0-epoch-0002".

    configuration: sections `cohort` and `training`. batches: those that have any case.
    """
    training = configuration["training"]
    epochs = checkpoint_epochs(training["epochs"], training["epochs_per_checkpoint"])
    folds = [f"fold-{fold}" for fold in range(configuration["cohort"]["folds"])]
    return {*batches, *folds, *(f"{fold}-epoch-{epoch:04d}" for fold in folds for epoch in epochs)}


def read_jobs(results: Path, rules: Collection[str], names: Collection[str]) -> list[Job]:
    """The jobs of these rules and names (see `names`) whose logs lie in `results`/logs, by rule and name.

    Other logs there are of other targets or left from earlier settings. Of a job whose
    results came from a cache the log is empty, and it is left out: it ran elsewhere.
    """
    logs = results / "logs"
    alone = [(path, path.stem, "") for path in logs.glob("*.log")]
    several = [(path, path.parent.name, path.stem) for path in logs.glob("*/*.log") if path.stem in names]
    found = [(log, rule, name) for log, rule, name in sorted(alone + several) if rule in rules]
    jobs = [_job(log, rule, name, results / "benchmarks" / log.relative_to(logs)) for log, rule, name in found]
    return [job for job in jobs if job is not None]


def table(jobs: Collection[Job]) -> pd.DataFrame:
    """A row a job, columns as in `COLUMNS`."""
    rows = [(job.rule, job.job, job.finished, job.seconds, round(job.peak_memory), job.computed_in) for job in jobs]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _job(log: Path, rule: str, name: str, benchmark: Path) -> Job | None:
    text = log.read_text(encoding="utf-8")
    ends = _END.findall(text)
    if not ends:  # killed
        return None
    finished, seconds, memory = ends[-1]
    device = _DEVICE.search(text)
    peak = max(float(memory), _measured(benchmark.with_suffix(".tsv")))
    return Job(rule, name, finished, float(seconds), peak, device[1] if device else "")


def _measured(benchmark: Path) -> float:
    """Peak memory of a job's processes together, in MiB; 0 where Snakemake has not looked in time."""
    if not benchmark.is_file():
        return 0
    # Snakemake writes NA or - where it has not looked.
    return float(pd.to_numeric(read_table(benchmark)["max_rss"], errors="coerce").fillna(0).max())
