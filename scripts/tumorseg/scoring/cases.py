"""The scores of many cases, several at a time, gathered into one table."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.console import Progress, logger
from tumorseg.files import write_json
from tumorseg.metrics.scores import Scores, rows
from tumorseg.metrics.summary import summarise
from tumorseg.processes import help_parent
from tumorseg.tables import write_table
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
    for found in _scored(items, score, min(processes, len(items))):
        table += rows(found.case, found.fold, found.scores)
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
    more: Mapping[str, Any] | None = None,
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write the table and its summary, which is returned.

    table, confusions: what `score_cases` returns. settings: the section `evaluation` of the configuration. missing:
    cases without a prediction. more: what the summary holds beside the scores. patients: of each case; None: by their
    names.
    """
    content = {
        **summarise(table, confusions, task=task, missing=missing, patients=patients, **settings),
        **(more or {}),
    }
    write_table(scores, table)
    write_json(summary, content)
    for label in content["never_predicted"]:
        logger.warning("%s is never predicted although the references have it", label)
    return content


def _scored(items: Sequence[Item], score: Callable[[Item], CaseScores], processes: int) -> Iterable[CaseScores]:
    if processes <= 1:
        yield from map(score, items)
        return
    with ProcessPoolExecutor(processes, initializer=help_parent) as pool:
        yield from pool.map(score, items)
