"""Compute all scores of a case, for each structure, as rows of the table of scores."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.pair import CasePair, StructurePair
from tumorseg.metrics.registry import COUNTS, columns, metrics
from tumorseg.metrics.surface_elements import Spacing
from tumorseg.task import Task

TEXT_COLUMNS: Final = ("case", "region")
"""Of a table of scores; its other columns are numbers."""

Scores = dict[str, dict[str, float]]
"""By structure, then by column."""


def case_scores(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    spacing_mm: Sequence[float],
    *,
    task: Task,
    surface_tolerance_mm: float,
) -> tuple[Scores, NDArray[np.int64]]:
    """Return the scores of a case and its confusion table.

    Args:
        reference: labels of the task, whole numbers of any type (X, Y, Z).
        prediction: labels of the task, of the same shape.
        spacing_mm: voxel edges along X, Y and Z.
        task: the task, whose structures are scored.
        surface_tolerance_mm: distance within which surfaces agree, for the surface Dice.

    Returns:
        The value of each score and count by structure, then by column; and the number of voxels of each pair of
        labels, reference by prediction.

    Raises:
        ValueError: the shapes differ, a value is not a label of the task, the spacing or the tolerance is not a
            length, or a score is not finite.

    Example:
        >>> mask = np.full((4, 4, 4), 2, np.uint8)
        >>> task = tumorseg.load_task("brats-glioma")
        >>> scores, _ = tumorseg.case_scores(mask, mask, (1.0, 1.0, 1.0), task=task, surface_tolerance_mm=1)
        >>> scores["WT"]["dice"]
        1.0
    """
    case = CasePair.of(reference, prediction, spacing_mm, task=task, surface_tolerance_mm=surface_tolerance_mm)
    found: dict[tuple[int, ...], dict[str, float]] = {}  # a region of one label has the scores of that label
    for labels in task.structures.values():
        if labels not in found:
            found[labels] = _structure_scores(case.structure(labels))
    return {structure: found[labels] for structure, labels in task.structures.items()}, case.confusion


def missing_scores(
    reference: NDArray[np.uint8], spacing_mm: Spacing, *, task: Task
) -> tuple[Scores, NDArray[np.int64]]:
    """Return the scores of a case without a prediction: volumes as if it were empty, and the worst of each score.

    reference, spacing_mm, task: see `case_scores`. Structures that the reference lacks get the worst, too.
    """
    scores, table = case_scores(reference, np.zeros_like(reference), spacing_mm, task=task, surface_tolerance_mm=0)
    worst = {metric.name: float(metric.worst) for metric in metrics() if metric.worst is not None}
    return {structure: {**of_structure, **worst} for structure, of_structure in scores.items()}, table


def score_rows(case: str, fold: int, scores: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return the rows of one case in the table of scores."""
    return [
        {"case": case, "fold": fold, "region": structure, **{column: of_structure[column] for column in columns()}}
        for structure, of_structure in scores.items()
    ]


def _structure_scores(pair: StructurePair) -> dict[str, float]:
    scores = {metric.name: metric.score(pair) for metric in metrics()}
    return {**scores, **{count.name: count.value(pair) for count in COUNTS}}
