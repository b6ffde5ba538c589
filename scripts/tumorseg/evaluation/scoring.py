"""Score cases in parallel; write the table of scores and its summary, and delete stale ones."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cli.console import Progress, logger
from tumorseg.cli.processes import initialise_worker
from tumorseg.io.files import write_json
from tumorseg.io.tables import write_table
from tumorseg.metrics.registry import metrics
from tumorseg.metrics.scores import Scores, score_rows
from tumorseg.metrics.summary import summarise
from tumorseg.task import Task

Item = TypeVar("Item")


@dataclass(frozen=True)
class CaseScores:
    """The scores of a case and its table of label pairs, as `metrics.scores.case_scores` gives them."""

    case: str
    fold: int
    scores: Scores
    confusion: NDArray[np.int64]


def score_cases(
    items: Sequence[Item], score: Callable[[Item], CaseScores], processes: int
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """The table of scores of all items (see `metrics.scores.rows`), and the table of label pairs of each case.

    score: of one item; it is called in other processes where there is more than one, whose number changes no result.
    """
    progress = Progress(len(items), "case")
    table: list[dict[str, Any]] = []
    confusions = {}
    for found in _iterate_scores(items, score, min(processes, len(items))):
        table += score_rows(found.case, found.fold, found.scores)
        confusions[found.case] = found.confusion
        progress.step(found.case)
    return pd.DataFrame(table), confusions


def write_scores(
    scores: Path,
    table: pd.DataFrame,
    summary: Path,
    confusions: Mapping[str, NDArray[np.int64]],
    settings: dict[str, Any],
    *,
    task: Task,
    missing: Collection[str] = (),
    extra_summary: Mapping[str, Any] | None = None,
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write the table and its summary, which is returned.

    table, confusions: what `score_cases` returns. settings: the section `evaluation` of the configuration. missing:
    cases without a prediction. more: what the summary holds beside the scores. patients: of each case; None: by their
    names.
    """
    content = {
        **summarise(table, confusions, task=task, missing=missing, patients=patients, **settings),
        **(extra_summary or {}),
    }
    write_table(scores, table)
    write_json(summary, content)
    for label in content["never_predicted"]:
        logger.warning("%s is never predicted although the references have it", label)
    return content


def _iterate_scores(items: Sequence[Item], score: Callable[[Item], CaseScores], processes: int) -> Iterable[CaseScores]:
    if processes <= 1:
        yield from map(score, items)
        return
    with ProcessPoolExecutor(processes, initializer=initialise_worker) as pool:
        yield from pool.map(score, items)


def overview_lines(summaries: Mapping[str, Mapping[str, Any]], task: Task) -> list[str]:
    """A line for each region of each folder, under a heading. summaries: by folder, as summary.json holds them."""
    shown = metrics("terminal")
    table = [["folder", "cases", "missing", "unusable", "mean", *(metric.heading for metric in shown)]]
    for folder, summary in summaries.items():
        counts = [summary["cases"], len(summary["missing"]), len(summary["unusable"])]
        for region in task.region_labels:
            scores = summary["structures"][region]["scores"]
            means = [metric.text(scores[metric.name]["mean"]) for metric in shown]
            table.append([folder, *map(str, counts), region, *means])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]


_OUTPUT_NAMES: Final = ("cases.csv", "summary.json", "comparison.csv", "comparison.json")


def remove_stale_outputs(folder: Path, written: Collection[Path]) -> list[Path]:
    """Remove the files of scores in `folder` and in its sub-folders that are not among those `written` now.

    Nothing else is touched; a sub-folder that is empty then goes too. Returns what was removed.
    """
    kept = {path.resolve() for path in written}
    there = [path for name in _OUTPUT_NAMES for path in [folder / name, *folder.glob(f"*/{name}")] if path.is_file()]
    old = [path for path in there if path.resolve() not in kept]
    for path in old:
        path.unlink()
        if path.parent != folder and not any(path.parent.iterdir()):
            path.parent.rmdir()
    return old
