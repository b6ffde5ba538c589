"""Collect the run time, peak memory and device of each job from the logs and Snakemake's benchmarks."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.cli.console import job_record_path
from tumorseg.errors import UserError
from tumorseg.io.files import read_json
from tumorseg.io.tables import read_table
from tumorseg.training.schedule import checkpoint_epochs

PREPARED_CASES: Final = "cohort/prepared"
"""Folder of the logs of the preparation of cases, a folder for each case."""
COLUMNS: Final = ("rule", "job", "finished", "seconds", "peak_memory_mib", "computed_in")


@dataclass(frozen=True)
class Job:
    """A finished job.

    Attributes:
        rule: name of the rule.
        job: name of the job by shard, fold or epoch, or by prepared case and channel; empty if the rule has one job.
        finished: local time of its machine.
        seconds: run time of the script without imports.
        peak_memory_mib: of all processes together if Snakemake has measured it, otherwise of the first process.
        computed_in: precision and device of the network; empty if the job does not use it.
    """

    rule: str
    job: str
    finished: str
    seconds: float
    peak_memory_mib: float
    computed_in: str


def job_names(configuration: Mapping[str, Any], shards: Iterable[str], cases: Iterable[str]) -> set[str]:
    """Return the possible names of jobs, such as "batch-003", "fold-0" and "fold-0-epoch-0002".

    Args:
        configuration: the sections `cohort` and `training`.
        shards: names of the shards of cases.
        cases: names of the cases, which may have been prepared.
    """
    training = configuration["training"]
    epochs = checkpoint_epochs(training["epochs"], training["epochs_per_checkpoint"])
    folds = [f"fold-{fold}" for fold in range(configuration["cohort"]["folds"])]
    return {*shards, *cases, *folds, *(f"{fold}-epoch-{epoch:04d}" for fold in folds for epoch in epochs)}


def read_jobs(results: Path, rules: Collection[str], names: Collection[str]) -> list[Job]:
    """Return the jobs of a run from their logs, sorted by rule and name.

    A job whose results came from a cache ran elsewhere and is left out: its log is empty, and a record beside it
    belongs to an earlier run.

    Args:
        results: folder with `logs` and `benchmarks`.
        rules: names of the rules of the run. Other logs belong to other targets.
        names: of the jobs (`job_names`). Other logs belong to earlier settings.

    Returns:
        The jobs with a valid record.
    """
    logs = results / "logs"
    alone = [(path, path.stem, "") for path in logs.glob("*.log")]
    several = [(path, path.parent.name, path.stem) for path in logs.glob("*/*.log") if path.stem in names]
    prepared = [
        (path, path.stem.partition("-")[0], "-".join([path.parent.name, *path.stem.split("-")[1:]]))
        for path in logs.glob(f"{PREPARED_CASES}/*/*.log")  # such as P1/convert.log and P1/coregister-t2.log
        if path.parent.name in names
    ]
    found = [(log, rule, name) for log, rule, name in sorted(alone + several + prepared) if rule in rules]
    jobs = [_read_job(log, rule, name, results / "benchmarks" / log.relative_to(logs)) for log, rule, name in found]
    return [job for job in jobs if job is not None]


def job_table(jobs: Collection[Job]) -> pd.DataFrame:
    """Return a table with one row for each job and the columns `COLUMNS`."""
    rows = [(job.rule, job.job, job.finished, job.seconds, round(job.peak_memory_mib), job.computed_in) for job in jobs]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _read_job(log: Path, rule: str, name: str, benchmark: Path) -> Job | None:
    """Return the job of a log; None if the log is empty or has no valid record, as after a kill or on a full disk."""
    if log.stat().st_size == 0:
        return None
    try:
        record = read_json(job_record_path(log))
        peak = max(float(record["peak_memory_mib"]), _benchmark_memory_mib(benchmark.with_suffix(".tsv")))
        return Job(rule, name, str(record["finished"]), float(record["seconds"]), peak, str(record["computed_in"]))
    except (OSError, UserError, ValueError, LookupError, TypeError):
        return None


def _benchmark_memory_mib(benchmark: Path) -> float:
    """Return the peak memory of all processes of a job in MiB; 0 if Snakemake has not measured it."""
    if not benchmark.is_file():
        return 0
    # Snakemake writes NA or - if it has not measured.
    return float(pd.to_numeric(read_table(benchmark)["max_rss"], errors="coerce").fillna(0).max())
