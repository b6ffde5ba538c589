"""The table of scores of a cohort, in one summary that defines each of its numbers."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.metrics.overlap import label_overlap
from tumorseg.metrics.scores import COUNT_DEFINITIONS, DEFINITIONS
from tumorseg.task import DEFAULT, Task

MACRO_SCORES: Final = ("dice", "iou", "f1")
_QUOTED: Final = (
    "; 0.87, 0.79 and 0.88, which are quoted for the project that this workflow follows, were probably taken like this"
)
_LESIONS: Final = ("lesions_found", "lesions_missed", "lesions_false")


def summarise(
    table: pd.DataFrame,
    confusions: Mapping[str, NDArray[np.int64]],
    *,
    task: Task,
    confidence: float,
    bootstrap_samples: int,
    surface_tolerance: float,
    seed: int,
    missing: Collection[str] = (),
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Mean, median, quartiles and a bootstrap confidence interval of each score of each structure, with definitions.

    Every case counts in every mean; empty masks are counted beside them.

    Args:
        table: columns of `scores.rows`.
        confusions: label pairs of each case, see `confusion`.
        task: the task, whose structures and labels are summarised.
        confidence: of the intervals, between 0 and 1.
        bootstrap_samples: how often patients are resampled.
        surface_tolerance: that of the surface Dice, mm.
        seed: of the resampling.
        missing: cases without a prediction, which have the scores of `scores.missing_scores`.
        patients: the patient of each case; None: by their names.
    """
    cases = sorted(table["case"].unique())
    bootstrap = Bootstrap(cases, confidence=confidence, samples=bootstrap_samples, seed=seed, patients=patients)
    parts = {name: part.set_index("case").loc[cases] for name, part in table.groupby("region")}
    is_missing = np.isin(cases, list(missing))
    labels = [_label_scores(parts[name]) for name in task.label_structures]
    return {
        "format": 2,
        "cases": len(cases),
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, patients resampled {bootstrap_samples} times",
        "surface_tolerance_mm": surface_tolerance,
        "definitions": DEFINITIONS,
        "count_definitions": COUNT_DEFINITIONS,
        "structures": {name: _structure(task, name, parts[name], is_missing, bootstrap) for name in task.structures},
        "macro": _macro(labels, bootstrap, macro_definition(task)),
        "macro_with_background": _macro(
            [_background_scores([confusions[case] for case in cases], is_missing), *labels],
            bootstrap,
            macro_with_background_definition(task),
        ),
        "confusion": _confusion(sum_of(confusions, task), task),
        "never_predicted": never_predicted(table, task),
    }


def macro_definition(task: Task) -> str:
    """Return what the macro means over labels are."""
    return f"mean over {_labels_in_words(task)} of a case, without background; then the mean over the cases"


def macro_with_background_definition(task: Task) -> str:
    """Return what the macro means over labels and background are."""
    unused = ", ".join(map(str, task.unused_classes))
    left_out = f" ({unused}, which no voxel has, left out)" if unused else ""
    return (
        f"mean over background and {_labels_in_words(task)} of a case{left_out}; then the mean over the cases. "
        f"Background is nearly all of the grid, so that this flatters{_QUOTED if task.name == DEFAULT else ''}"
    )


def sum_of(confusions: Mapping[str, NDArray[np.int64]], task: Task) -> NDArray[np.int64]:
    """Return the label pairs of all cases together, (classes, classes)."""
    total = np.zeros((task.classes, task.classes), np.int64)
    for confusion in confusions.values():
        total += confusion
    return total


def _labels_in_words(task: Task) -> str:
    *others, last = map(str, task.label_values)
    return f"the labels {', '.join(others)} and {last}" if others else f"the label {last}"


def never_predicted(table: pd.DataFrame, task: Task) -> list[str]:
    """Labels that the references have and no prediction has: the failure that a mean over regions hides."""
    voxels = table.groupby("region")[["reference_voxels", "predicted_voxels"]].sum()
    return [
        label
        for label in task.label_structures
        if voxels.loc[label, "reference_voxels"] > 0 and voxels.loc[label, "predicted_voxels"] == 0
    ]


def _structure(
    task: Task, name: str, part: pd.DataFrame, is_missing: NDArray[np.bool_], bootstrap: Bootstrap
) -> dict[str, Any]:
    no_reference, no_prediction = part["reference_voxels"] == 0, part["predicted_voxels"] == 0
    return {
        "name": task.structure_titles[name],
        "labels": list(task.structures[name]),
        "scores": {score: bootstrap.describe(part[score].to_numpy(float)) for score in DEFINITIONS},
        **{lesions: int(part[lesions].sum()) for lesions in _LESIONS},
        "empty_reference": int(no_reference.sum()),
        "empty_prediction": int(no_prediction.sum()),
        "both_empty": int((no_reference & no_prediction & ~is_missing).sum()),
    }


def _macro(parts: list[pd.DataFrame], bootstrap: Bootstrap, definition: str) -> dict[str, Any]:
    return {
        score: {
            **bootstrap.describe(np.mean([part[score].to_numpy(float) for part in parts], axis=0)),
            "definition": definition,
        }
        for score in MACRO_SCORES
    }


def _label_scores(part: pd.DataFrame) -> pd.DataFrame:
    return part[list(MACRO_SCORES)]


def _background_scores(confusions: list[NDArray[np.int64]], is_missing: NDArray[np.bool_]) -> pd.DataFrame:
    """The scores of the voxels without a label, a row for each case; 0 where there is no prediction."""
    overlaps = [label_overlap(confusion, (0,)) for confusion in confusions]
    scores = pd.DataFrame([{score: getattr(overlap, score) for score in MACRO_SCORES} for overlap in overlaps])
    scores[is_missing] = 0.0
    return scores


def _confusion(table: NDArray[np.int64], task: Task) -> dict[str, Any]:
    labels = (0, *task.label_values)
    rows: Mapping[str, dict[str, int]] = {
        str(reference): {str(predicted): int(table[reference, predicted]) for predicted in labels}
        for reference in labels
    }
    return {
        "definition": "voxels of all cases together, by the reference's label, then by the predicted label; a missing "
        "prediction counts as background",
        "voxels": rows,
    }
