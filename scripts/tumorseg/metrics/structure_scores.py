"""Compute all scores of a case and the rows that it has in the table of scores."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.pair import CasePair, StructurePair
from tumorseg.metrics.registry import COUNTS, columns, metrics
from tumorseg.metrics.surface_elements import Spacing
from tumorseg.task import Task

TEXT_COLUMNS: Final = ("case", "channels", "region")
"""The text columns of a table of scores. All other columns are numbers."""

Scores = dict[str, dict[str, float]]
"""Scores and counts of a case, by structure and then by column."""


def case_scores(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    spacing_mm: Sequence[float],
    *,
    task: Task,
    surface_tolerance_mm: float,
) -> tuple[Scores, NDArray[np.int64]]:
    """Return all scores of a case and its confusion matrix.

    Args:
        reference: labels of the task, integers of any type (X, Y, Z).
        prediction: labels of the task, of the same shape.
        spacing_mm: voxel edges along X, Y and Z.
        task: defines the structures to score: its regions and labels.
        surface_tolerance_mm: tolerance of the surface Dice. Parts of a surface within this distance of the other
            surface agree with it.

    Returns:
        The scores and counts by structure and then by column, and the confusion matrix: voxel counts, int64
        (classes, classes), with the reference label on the first axis.

    Raises:
        ValueError: the shapes differ, a value is not a label of the task, the spacing or the tolerance is not a valid
            length, or a score is not finite.

    References:
        Dice 1945, doi:10.2307/1932409. Nikolov et al. 2021, doi:10.2196/26151 (surface Dice and HD95). Moawad et al.
        2024, arXiv:2306.00838 (lesion-wise scores).

    Example:
        >>> mask = np.full((4, 4, 4), 2, np.uint8)
        >>> task = tumorseg.load_task("brats-glioma")
        >>> scores, _ = tumorseg.case_scores(mask, mask, (1.0, 1.0, 1.0), task=task, surface_tolerance_mm=1)
        >>> scores["WT"]["dice"]
        1.0
    """
    case = CasePair.from_masks(reference, prediction, spacing_mm, task=task, surface_tolerance_mm=surface_tolerance_mm)
    return score_structures(case, task, _structure_scores), case.confusion


def score_structures(case: CasePair, task: Task, score: Callable[[StructurePair], dict[str, float]]) -> Scores:
    """Return the result of a function for each structure of a case, by name.

    Args:
        case: the reference and the prediction.
        task: defines the structures.
        score: function that returns the scores and counts of a structure by column.
    """
    by_labels: dict[tuple[int, ...], dict[str, float]] = {}  # a region of one label has the scores of that label
    for labels in task.structures.values():
        if labels not in by_labels:
            by_labels[labels] = score(case.structure(labels))
    return {structure: by_labels[labels] for structure, labels in task.structures.items()}


def missing_scores(
    reference: NDArray[np.uint8], spacing_mm: Spacing, *, task: Task
) -> tuple[Scores, NDArray[np.int64]]:
    """Return the scores of a case without a prediction: the worst of each score, and the volumes of an empty mask.

    Structures that the reference lacks get the worst scores too.

    Args:
        reference: labels of the task, uint8 (X, Y, Z).
        spacing_mm: voxel edges along X, Y and Z.
        task: defines the structures to score.

    Returns:
        The scores and the confusion matrix, as `case_scores` returns them.
    """
    scores, confusion = case_scores(reference, np.zeros_like(reference), spacing_mm, task=task, surface_tolerance_mm=0)
    worst = {metric.name: float(metric.worst) for metric in metrics() if metric.worst is not None}
    return {structure: {**by_column, **worst} for structure, by_column in scores.items()}, confusion


def score_rows(case: str, fold: int, scores: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return the rows of a case in the table of scores, one per structure.

    Args:
        case: name of the case.
        fold: fold in which the case is held out.
        scores: scores and counts by structure and then by column, as `case_scores` returns them.
    """
    return [
        {"case": case, "fold": fold, "region": structure, **{column: by_column[column] for column in columns()}}
        for structure, by_column in scores.items()
    ]


def _structure_scores(pair: StructurePair) -> dict[str, float]:
    scores = {metric.name: metric.score(pair) for metric in metrics()}
    return {**scores, **{count.name: count.value(pair) for count in COUNTS}}
