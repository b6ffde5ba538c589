"""Compute all scores of a case as in BraTS 2025 and 2026."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.pair import CasePair, StructurePair
from tumorseg.metrics.records_2026 import COUNTS_2026, METRICS_2026
from tumorseg.metrics.structure_scores import Scores, score_structures
from tumorseg.metrics.surface_elements import Spacing
from tumorseg.task import Task


def case_scores_2026(
    reference: NDArray[Any], prediction: NDArray[Any], spacing_mm: Sequence[float], *, task: Task
) -> Scores:
    """Return the scores of a case in BraTS 2025 and 2026.

    Args:
        reference: labels of the task, integers of any type (X, Y, Z).
        prediction: labels of the task, of the same shape.
        spacing_mm: voxel edges along X, Y and Z.
        task: defines the structures to score: its regions and labels.

    Returns:
        The scores and counts by structure and then by column, see `lesion_scores_2026`. The edges along X and Z are
        exchanged, as there. A score without a value is not a number.

    Raises:
        ValueError: the shapes differ, a value is not a label of the task, or the spacing is not three positive lengths.

    References:
        Kofler et al. 2023, arXiv:2312.02608.

    Example:
        >>> mask = np.full((4, 4, 4), 2, np.uint8)
        >>> scores = case_scores_2026(mask, mask, (1.0, 1.0, 1.0), task=tumorseg.load_task("brats-glioma"))
        >>> scores["WT"]["lesion_f1_2026"], scores["ET"]["lesion_f1_2026"]
        (1.0, nan)
    """
    case = CasePair.from_masks(reference, prediction, spacing_mm, task=task, surface_tolerance_mm=0)
    return score_structures(case, task, _structure_scores)


def missing_scores_2026(reference: NDArray[np.uint8], spacing_mm: Spacing, *, task: Task) -> Scores:
    """Return the scores of a case without a prediction: the worst of each score, and the counts of an empty mask.

    Structures that the reference lacks get the worst scores too. The challenge's package also writes 0 for the counts.

    Args:
        reference: labels of the task, uint8 (X, Y, Z).
        spacing_mm: voxel edges along X, Y and Z.
        task: defines the structures to score.

    Returns:
        The scores, as `case_scores_2026` returns them.
    """
    scores = case_scores_2026(reference, np.zeros_like(reference), spacing_mm, task=task)
    worst = {metric.name: float(metric.worst) for metric in METRICS_2026 if metric.worst is not None}
    return {structure: {**by_column, **worst} for structure, by_column in scores.items()}


def _structure_scores(pair: StructurePair) -> dict[str, float]:
    return {record.name: record.value(pair) for record in (*METRICS_2026, *COUNTS_2026)}
