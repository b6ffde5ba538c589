"""Every score of a case, by structure: the columns of the tables of scores, and what each means."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.border import border_hausdorff95
from tumorseg.metrics.cells import Spacing
from tumorseg.metrics.lesions import WORST_HD95, lesion_scores
from tumorseg.metrics.overlap import confusion, overlaps_of
from tumorseg.metrics.surface import surface_distances
from tumorseg.task import Task

DEFINITIONS: Final = {
    "dice": "2 TP / (2 TP + FP + FN) over the voxels of a case; 1 where reference and prediction are both empty, "
    "0 where only one of them is",
    "iou": "TP / (TP + FP + FN) over the voxels of a case, "
    "empty masks as for Dice; in each case IoU = Dice / (2 - Dice)",
    "f1": "harmonic mean of precision and sensitivity over the voxels of a case, empty masks as for Dice; in each case "
    "F1 = Dice",
    "precision": "TP / (TP + FP); with nothing predicted, 1 where the reference is empty too and 0 elsewhere",
    "sensitivity": "TP / (TP + FN); with an empty reference, 1 where nothing is predicted and 0 elsewhere",
    "specificity": "TN / (TN + FP) over the whole grid, background beyond the head included",
    "surface_dice": "normalised surface Dice: the share of both surfaces' area that lies within a tolerance of the "
    "other surface, with surface elements and areas as for HD95; empty masks as for Dice",
    "hd95": "as the BraTS 2023 challenge's code takes it, mm: surface elements at the corners of 2x2x2 cells of "
    "voxels, the 95th percentile of their distances to the other surface, weighted by their areas, in each direction; "
    "the larger of the two. 0 where both masks are empty, 374 where one is",
    "hd95_border": "as MONAI takes it, mm: the same with the centres of border voxels, each of which counts alike",
    "lesionwise_dice": "BraTS 2023: mean of the Dice of each lesion with all predicted components that touch it after "
    "three dilations, where a missed lesion and a predicted component that belongs to no lesion count as 0; 1 where "
    "there is neither. Components are 26-connected, lesions that three dilations join are one, and those of at most "
    "0.05 ml (50 mm³) count neither as found nor as missed",
    "lesionwise_hd95": "BraTS 2023, mm: mean of the HD95 of each lesion, as for lesion-wise Dice, where a missed and a "
    "false lesion count as 374; 0 where there is neither",
    "volume_error_mm3": "predicted minus the reference's volume, minus the reference's where the prediction is "
    "missing: mm³ in tables, ml on pages",
}
"""Those scores that a mean over cases says something about, in the order of the tables."""

COUNT_DEFINITIONS: Final = {
    "lesions_found": "lesions of all cases that a predicted component touches, see lesionwise_dice",
    "lesions_missed": "lesions of all cases that none touches",
    "lesions_false": "predicted components of all cases that belong to no lesion",
    "empty_reference": "cases whose reference lacks the structure",
    "empty_prediction": "cases whose prediction lacks it, or that have none",
    "both_empty": "cases whose reference and prediction both lack it",
    "missing prediction": "counts as the worst of each score: 0, and 374 mm, in every structure",
}
"""What else a summary counts, by structure, and how it counts what is not there."""

COLUMNS: Final = (
    *DEFINITIONS,
    *("lesions_found", "lesions_missed", "lesions_false", "reference_mm3", "predicted_mm3"),
    *("reference_voxels", "predicted_voxels", "true_positives", "true_negatives"),
)
TEXT_COLUMNS: Final = ("case", "region")
"""Of a table of scores; its other columns are numbers."""

WORST: Final = {
    **dict.fromkeys(("dice", "iou", "f1", "precision", "sensitivity", "specificity", "surface_dice"), 0.0),
    **dict.fromkeys(("hd95", "hd95_border", "lesionwise_hd95"), WORST_HD95),
    "lesionwise_dice": 0.0,
}
"""What a case without a prediction gets, also in structures that the reference lacks."""

Scores = dict[str, dict[str, float]]
"""By structure, then by column."""


def case_scores(
    reference: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    spacing_mm: Spacing,
    *,
    task: Task,
    surface_tolerance_mm: float,
) -> tuple[Scores, NDArray[np.int64]]:
    """Return the scores of a case and its table of label pairs (see `confusion`).

    Args:
        reference: labels of the task, uint8 (X, Y, Z).
        prediction: labels of the task, uint8, of the same shape.
        spacing_mm: voxel edges along X, Y and Z.
        task: the task, whose structures are scored.
        surface_tolerance_mm: distance within which surfaces agree, for the surface Dice.

    Raises:
        ValueError: the shapes differ, or a value is not a class of the task.
    """
    table = confusion(reference, prediction, task.classes)
    of_labels: dict[tuple[int, ...], dict[str, float]] = {}  # ET is a label by itself, too
    for structure, overlap in overlaps_of(table, task).items():
        labels = task.structures[structure]
        if labels in of_labels:
            continue
        expected, predicted = (np.isin(mask, labels) for mask in (reference, prediction))
        lesions = lesion_scores(expected, predicted, spacing_mm)
        voxel = float(np.prod(spacing_mm))
        of_labels[labels] = {
            **{
                name: getattr(overlap, name)
                for name in ("dice", "iou", "f1", "precision", "sensitivity", "specificity")
            },
            **_distances(expected, predicted, spacing_mm, surface_tolerance_mm),
            "lesionwise_dice": lesions.dice,
            "lesionwise_hd95": lesions.hd95,
            "volume_error_mm3": (overlap.predicted_voxels - overlap.reference_voxels) * voxel,
            "lesions_found": lesions.found,
            "lesions_missed": lesions.missed,
            "lesions_false": lesions.false,
            "reference_mm3": overlap.reference_voxels * voxel,
            "predicted_mm3": overlap.predicted_voxels * voxel,
            "reference_voxels": overlap.reference_voxels,
            "predicted_voxels": overlap.predicted_voxels,
            "true_positives": overlap.true_positives,
            "true_negatives": overlap.true_negatives,
        }
    return {structure: of_labels[labels] for structure, labels in task.structures.items()}, table


def missing_scores(
    reference: NDArray[np.uint8], spacing_mm: Spacing, *, task: Task
) -> tuple[Scores, NDArray[np.int64]]:
    """Return the scores of a case without a prediction: volumes as if it were empty, and the worst of each score.

    reference, spacing_mm, task: see `case_scores`.
    """
    scores, table = case_scores(reference, np.zeros_like(reference), spacing_mm, task=task, surface_tolerance_mm=0)
    return {structure: {**of_structure, **WORST} for structure, of_structure in scores.items()}, table


def rows(case: str, fold: int, scores: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """The rows of one case in the table of scores."""
    return [
        {"case": case, "fold": fold, "region": structure, **{column: of_structure[column] for column in COLUMNS}}
        for structure, of_structure in scores.items()
    ]


def _distances(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing: Spacing, tolerance: float
) -> dict[str, float]:
    if reference.any() and prediction.any():
        surfaces = surface_distances(reference, prediction, spacing)
        return {
            "surface_dice": surfaces.surface_dice(tolerance),
            "hd95": surfaces.hausdorff95(),
            "hd95_border": border_hausdorff95(reference, prediction, spacing),
        }
    if reference.any() or prediction.any():
        return {name: WORST[name] for name in ("surface_dice", "hd95", "hd95_border")}
    return {"surface_dice": 1.0, "hd95": 0.0, "hd95_border": 0.0}
