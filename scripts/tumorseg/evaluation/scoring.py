"""Score cases in parallel, write the table of scores and its summary, and delete stale files of scores."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cli.console import Progress, logger
from tumorseg.cli.processes import initialise_worker
from tumorseg.evaluation.comparison_lines import align
from tumorseg.io.files import write_json
from tumorseg.io.tables import write_table
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import metrics
from tumorseg.metrics.structure_scores import Scores, score_rows
from tumorseg.metrics.summary import summarise
from tumorseg.task import Task

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class CaseScores:
    """The scores of a case and its confusion matrix, as `metrics.case_scores` returns them, and rows of its lesions."""

    case: str
    fold: int
    scores: Scores
    confusion: NDArray[np.int64]
    lesions: Sequence[dict[str, Any]] = ()


def map_cases(items: Sequence[Item], function: Callable[[Item], Result], processes: int) -> Iterator[Result]:
    """Yield the result of a function for each item, in the order of the items.

    Args:
        items: one item per case.
        function: function of an item. With more than one process it must be picklable.
        processes: number of processes. It does not change the results.
    """
    processes = min(processes, len(items))
    if processes <= 1:
        yield from map(function, items)
        return
    with ProcessPoolExecutor(processes, initializer=initialise_worker) as pool:
        yield from pool.map(function, items)


def score_cases(
    items: Sequence[Item],
    score: Callable[[Item], CaseScores],
    processes: int,
    *,
    on_case: Callable[[CaseScores], object] | None = None,
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Return the table of scores of all items, and the confusion matrix of each case.

    The rows of the table are described at `tumorseg.metrics.structure_scores.score_rows`.

    Args:
        items: one item per case.
        score: function that scores an item. With more than one process it must be picklable.
        processes: number of processes. It does not change the result.
        on_case: function to call with each case, in the order of the items.
    """
    progress = Progress(len(items), "case")
    rows: list[dict[str, Any]] = []
    confusions = {}
    for scored in map_cases(items, score, processes):
        rows += score_rows(scored.case, scored.fold, scored.scores)
        confusions[scored.case] = scored.confusion
        if on_case is not None:
            on_case(scored)
        progress.step(scored.case)
    return pd.DataFrame(rows), confusions


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
    """Write the table of scores and its summary. Warn of labels that are never predicted.

    Args:
        scores: CSV file to write.
        table: table of scores, from `score_cases`.
        summary: JSON file to write.
        confusions: confusion matrix of each case, from `score_cases`.
        settings: keyword arguments of `metrics.summary.summarise`, from the section `evaluation` of the configuration.
        task: defines the structures.
        missing: cases without a prediction.
        extra_summary: further content of the summary.
        patients: the patient of each case; None derives them from the names of the cases.

    Returns:
        The content of the summary.
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


def overview_lines(
    summaries: Mapping[str, Mapping[str, Any]], task: Task, shown: Sequence[Metric] | None = None
) -> list[str]:
    """Return a table for the terminal with a line per region and folder.

    Args:
        summaries: content of summary.json by folder.
        task: defines the regions.
        shown: scores to show; None shows those with the place `terminal`.
    """
    shown = metrics("terminal") if shown is None else shown
    table = [["folder", "cases", "missing", "unusable", "mean", *(metric.heading for metric in shown)]]
    for folder, summary in summaries.items():
        counts = [summary["cases"], len(summary["missing"]), len(summary["unusable"])]
        for region in task.region_labels:
            scores = summary["structures"][region]["scores"]
            means = [_mean_text(scores[metric.name]["mean"], metric) for metric in shown]
            table.append([folder, *map(str, counts), region, *means])
    return align(table)


def _mean_text(mean: float | None, metric: Metric) -> str:
    return "–" if mean is None else metric.text(mean)


_OUTPUT_NAMES: Final = (
    *("cases.csv", "summary.json", "cases_2026.csv", "summary_2026.json"),
    *("comparison.csv", "comparison.json", "comparison_2026.csv", "comparison_2026.json"),
    *("scores.html", "table.csv", "table.tex"),
)


def remove_stale_outputs(folder: Path, written: Collection[Path]) -> list[Path]:
    """Delete files of scores from earlier runs in a folder and its sub-folders.

    Other files stay. A sub-folder that becomes empty is deleted too.

    Args:
        folder: folder of the scores.
        written: files of this run, which stay.

    Returns:
        The deleted files.
    """
    kept = {path.resolve() for path in written}
    present = [path for name in _OUTPUT_NAMES for path in [folder / name, *folder.glob(f"*/{name}")] if path.is_file()]
    stale = [path for path in present if path.resolve() not in kept]
    for path in stale:
        path.unlink()
        if path.parent != folder and not any(path.parent.iterdir()):
            path.parent.rmdir()
    return stale
