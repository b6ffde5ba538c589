"""Score cases as in BraTS 2025 and 2026, and write their table and summary."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from tumorseg.cli.console import Progress, logger
from tumorseg.evaluation.scoring import map_cases
from tumorseg.io.files import write_json
from tumorseg.io.tables import write_table
from tumorseg.metrics.structure_scores import Scores
from tumorseg.metrics.summary_2026 import summarise_2026
from tumorseg.metrics.surface_elements import Spacing
from tumorseg.task import Task

Item = TypeVar("Item")


@dataclass(frozen=True)
class CaseScores2026:
    """The scores of a case, as `metrics.case_scores_2026` returns them, and its voxel edges along X, Y and Z."""

    case: str
    fold: int
    scores: Scores
    spacing_mm: Spacing


@dataclass(frozen=True, eq=False)
class ScoredCases2026:
    """The scores of all cases.

    Attributes:
        table: one row per case and structure, with the columns `case`, `fold`, `region` and those of
            `records_2026.columns_2026`.
        exchanged_edges: cases whose voxel edges along X and Z differ. The challenge exchanges them.
    """

    table: pd.DataFrame
    exchanged_edges: tuple[str, ...]


def score_cases_2026(items: Sequence[Item], score: Callable[[Item], CaseScores2026], processes: int) -> ScoredCases2026:
    """Return the scores of all items.

    Args:
        items: one item per case.
        score: function that scores an item. With more than one process it must be picklable.
        processes: number of processes. It does not change the result.
    """
    progress = Progress(len(items), "case")
    rows: list[dict[str, Any]] = []
    exchanged_edges = []
    for scored in map_cases(items, score, processes):
        for structure, by_column in scored.scores.items():
            rows.append({"case": scored.case, "fold": scored.fold, "region": structure, **by_column})
        if not math.isclose(scored.spacing_mm[0], scored.spacing_mm[2], rel_tol=1e-5):
            exchanged_edges.append(scored.case)
        progress.step(scored.case)
    return ScoredCases2026(pd.DataFrame(rows), tuple(exchanged_edges))


def write_scores_2026(
    scores: Path,
    summary: Path,
    scored: ScoredCases2026,
    settings: Mapping[str, Any],
    *,
    task: Task,
    extra_summary: Mapping[str, Any] | None = None,
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write the table of scores and its summary. Warn of cases whose voxel edges are exchanged.

    Args:
        scores: CSV file to write.
        summary: JSON file to write.
        scored: scores of all cases.
        settings: `confidence`, `bootstrap_samples` and `seed` of the section `evaluation` of the configuration.
        task: defines the structures.
        extra_summary: further content of the summary.
        patients: the patient of each case; None derives them from the names of the cases.

    Returns:
        The content of the summary.
    """
    content = {
        **summarise_2026(
            scored.table, task=task, exchanged_edges=scored.exchanged_edges, patients=patients, **settings
        ),
        **(extra_summary or {}),
    }
    write_table(scores, scored.table)
    write_json(summary, content)
    if scored.exchanged_edges:
        logger.warning(
            "the voxel edges along X and Z differ in %d of %d cases, first %s: as in the evaluation package of "
            "BraTS 2025 and 2026, these edges are exchanged, so NSD and HD95 of these cases are not in true mm",
            len(scored.exchanged_edges),
            content["cases"],
            scored.exchanged_edges[0],
        )
    return content
