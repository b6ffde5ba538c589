"""Summarise the scores of a cohort, with a definition of each number."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.formatting import format_list
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.metrics.overlap import label_overlap
from tumorseg.metrics.pair import StructurePair
from tumorseg.metrics.registry import COUNTS, definitions, metrics
from tumorseg.task import DEFAULT_TASK, Task

_REPORTED_DICE_NOTE: Final = (
    ". The Dice values of 0.87, 0.79 and 0.88 that are quoted for the project that this workflow follows were probably "
    "computed like this"
)
_CASES_DEFINITIONS: Final = {
    "empty_reference": "cases whose reference lacks the structure",
    "empty_prediction": "cases whose prediction lacks the structure or is missing",
    "both_empty": "cases whose reference and prediction both lack the structure",
}


def summarise(
    table: pd.DataFrame,
    confusions: Mapping[str, NDArray[np.int64]],
    *,
    task: Task,
    confidence: float,
    bootstrap_samples: int,
    surface_tolerance_mm: float,
    seed: int,
    missing: Collection[str] = (),
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return mean, median, quartiles and bootstrap confidence interval of all scores, with definitions.

    Every case counts in every mean. Cases with empty masks are counted separately as well.

    Args:
        table: table of scores, with the columns of `scores.score_rows`.
        confusions: confusion matrix of each case, see `overlap.confusion`.
        task: defines the structures and labels.
        confidence: of the intervals, between 0 and 1.
        bootstrap_samples: number of resamplings of the patients.
        surface_tolerance_mm: tolerance of the surface Dice in mm, for the record.
        seed: of the resampling.
        missing: cases without a prediction. Their scores are those of `scores.missing_scores`.
        patients: the patient of each case; None derives them from the names of the cases.

    Returns:
        The content of summary.json, as plain JSON types.
    """
    cases = sorted(table["case"].unique())
    bootstrap = Bootstrap(cases, confidence=confidence, samples=bootstrap_samples, seed=seed, patients=patients)
    parts = {name: part.set_index("case").loc[cases] for name, part in table.groupby("region")}
    is_missing = np.isin(cases, list(missing))
    labels = [parts[name] for name in task.label_structures]
    return {
        "format": 2,
        "cases": len(cases),
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, patients resampled {bootstrap_samples} times",
        "surface_tolerance_mm": surface_tolerance_mm,
        "definitions": definitions(),
        "count_definitions": count_definitions(),
        "structures": {name: _structure(task, name, parts[name], is_missing, bootstrap) for name in task.structures},
        "macro": _macro(labels, bootstrap, macro_definition(task)),
        "macro_with_background": _macro(
            [_background_scores([confusions[case] for case in cases], is_missing), *labels],
            bootstrap,
            macro_with_background_definition(task),
        ),
        "confusion": _confusion(total_confusion(confusions, task), task),
        "never_predicted": never_predicted(table, task),
    }


def count_definitions() -> dict[str, str]:
    """Return the definition of each count of a summary, and of a missing prediction."""
    units = {metric: f" {metric.unit}" if metric.unit else "" for metric in metrics()}
    worst = dict.fromkeys(
        f"{metric.worst / metric.divisor:g}{unit}" for metric, unit in units.items() if metric.worst is not None
    )
    return {
        **{count.name: count.definition for count in COUNTS if count.definition},
        **_CASES_DEFINITIONS,
        "missing prediction": f"counts as the worst value of each score, {', '.join([*worst][:-1])} or {[*worst][-1]}, "
        "in every structure",
    }


def macro_definition(task: Task) -> str:
    """Return the definition of the macro means over labels."""
    return f"mean over {_format_labels(task)} of a case, without background; then mean over the cases"


def macro_with_background_definition(task: Task) -> str:
    """Return the definition of the macro means over labels and background."""
    unused = ", ".join(map(str, task.unused_classes))
    without_unused = f", without the unused {unused}" if unused else ""
    note = _REPORTED_DICE_NOTE if task.name == DEFAULT_TASK else ""
    return (
        f"mean over background and {_format_labels(task)} of a case{without_unused}; then mean over the cases. "
        f"Background fills most of the grid, which makes this mean too optimistic{note}"
    )


def total_confusion(confusions: Mapping[str, NDArray[np.int64]], task: Task) -> NDArray[np.int64]:
    """Return the sum of the confusion matrices of all cases.

    Args:
        confusions: confusion matrix of each case, int64 (classes, classes), see `overlap.confusion`.
        task: defines the number of classes.
    """
    total = np.zeros((task.classes, task.classes), np.int64)
    for confusion in confusions.values():
        total += confusion
    return total


def _format_labels(task: Task) -> str:
    values = format_list([*map(str, task.label_values)])
    return f"the {'label' if len(task.label_values) == 1 else 'labels'} {values}"


def never_predicted(table: pd.DataFrame, task: Task) -> list[str]:
    """Return the labels that references have and no prediction has. A mean over regions hides this failure."""
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
        "scores": {score: bootstrap.describe(part[score].to_numpy(float)) for score in definitions()},
        **{count.name: int(part[count.name].sum()) for count in COUNTS if count.definition},
        "empty_reference": int(no_reference.sum()),
        "empty_prediction": int(no_prediction.sum()),
        "both_empty": int((no_reference & no_prediction & ~is_missing).sum()),
    }


def _macro(parts: list[pd.DataFrame], bootstrap: Bootstrap, definition: str) -> dict[str, Any]:
    return {
        metric.name: {
            **bootstrap.describe(np.mean([part[metric.name].to_numpy(float) for part in parts], axis=0)),
            "definition": definition,
        }
        for metric in metrics("macro")
    }


def _background_scores(confusions: list[NDArray[np.int64]], is_missing: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the scores of background, a row per case; the worst if the prediction is missing."""
    pairs = [StructurePair(label_overlap(confusion, (0,))) for confusion in confusions]
    scores = pd.DataFrame([{metric.name: metric.score(pair) for metric in metrics("macro")} for pair in pairs])
    for metric in metrics("macro"):
        if metric.worst is not None:
            scores.loc[is_missing, metric.name] = float(metric.worst)
    return scores


def _confusion(table: NDArray[np.int64], task: Task) -> dict[str, Any]:
    labels = (0, *task.label_values)
    rows: Mapping[str, dict[str, int]] = {
        str(reference): {str(predicted): int(table[reference, predicted]) for predicted in labels}
        for reference in labels
    }
    return {
        "definition": "voxels of all cases, by reference label and then by predicted label; a missing prediction "
        "counts as background",
        "voxels": rows,
    }
