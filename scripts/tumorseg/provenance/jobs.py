"""Collect the run time, peak memory and device of each job from the logs and Snakemake's benchmarks."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.cli.console import record_path
from tumorseg.errors import UserError
from tumorseg.io.files import read_json
from tumorseg.io.tables import read_table
from tumorseg.training.schedule import checkpoint_epochs

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
    peak_memory_mib: float
    computed_in: str


def job_names(configuration: Mapping[str, Any], batches: Iterable[str]) -> set[str]:
    """What the jobs of rules with more than one are called: "batch-003", "fold-0", "fold-0-epoch-0002".

    configuration: sections `cohort` and `training`. batches: those that have any case.
    """
    training = configuration["training"]
    epochs = checkpoint_epochs(training["epochs"], training["epochs_per_checkpoint"])
    folds = [f"fold-{fold}" for fold in range(configuration["cohort"]["folds"])]
    return {*batches, *folds, *(f"{fold}-epoch-{epoch:04d}" for fold in folds for epoch in epochs)}


def read_jobs(results: Path, rules: Collection[str], names: Collection[str]) -> list[Job]:
    """Return the jobs of these rules and names (see `names`) whose logs lie in `results`/logs, by rule and name.

    Other logs there belong to other targets or earlier settings. A job whose results came from a cache ran elsewhere
    and is left out: its log is empty, and a record beside it belongs to a run before.
    """
    logs = results / "logs"
    alone = [(path, path.stem, "") for path in logs.glob("*.log")]
    several = [(path, path.parent.name, path.stem) for path in logs.glob("*/*.log") if path.stem in names]
    found = [(log, rule, name) for log, rule, name in sorted(alone + several) if rule in rules]
    jobs = [_read_job(log, rule, name, results / "benchmarks" / log.relative_to(logs)) for log, rule, name in found]
    return [job for job in jobs if job is not None]


def job_table(jobs: Collection[Job]) -> pd.DataFrame:
    """A row a job, columns as in `COLUMNS`."""
    rows = [(job.rule, job.job, job.finished, job.seconds, round(job.peak_memory_mib), job.computed_in) for job in jobs]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _read_job(log: Path, rule: str, name: str, benchmark: Path) -> Job | None:
    """Return the job of a log; None if it has no readable record (a killed job, or a full disk) or an empty log."""
    if log.stat().st_size == 0:
        return None
    try:
        record = read_json(record_path(log))
        peak = max(float(record["peak_memory_mib"]), _benchmark_memory_mib(benchmark.with_suffix(".tsv")))
        return Job(rule, name, str(record["finished"]), float(record["seconds"]), peak, str(record["computed_in"]))
    except (OSError, UserError, ValueError, LookupError, TypeError):
        return None


def _benchmark_memory_mib(benchmark: Path) -> float:
    """Peak memory of a job's processes together, in MiB; 0 where Snakemake has not looked in time."""
    if not benchmark.is_file():
        return 0
    # Snakemake writes NA or - where it has not looked.
    return float(pd.to_numeric(read_table(benchmark)["max_rss"], errors="coerce").fillna(0).max())
