"""The table of scores of a cohort, in one summary that defines each of its numbers."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.labels import CLASSES, LABEL_STRUCTURES, STRUCTURE_NAMES, STRUCTURES, UNUSED_CLASS
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.metrics.overlap import Overlap
from tumorseg.metrics.scores import COUNT_DEFINITIONS, DEFINITIONS

MACRO_SCORES: Final = ("dice", "iou", "f1")
MACRO_DEFINITION: Final = "mean over the labels 1, 2 and 4 of a case, without background; then the mean over the cases"
MACRO_WITH_BACKGROUND_DEFINITION: Final = (
    "mean over background and the labels 1, 2 and 4 of a case (3, which no voxel has, left out); then the mean over "
    "the cases. Background is nearly all of the grid, so that this flatters; 0.87, 0.79 and 0.88, which are quoted for "
    "the project that this workflow follows, were probably taken like this"
)
_LESIONS: Final = ("lesions_found", "lesions_missed", "lesions_false")


def summarise(
    table: pd.DataFrame,
    confusion: NDArray[np.int64],
    *,
    confidence: float,
    bootstrap_samples: int,
    surface_tolerance: float,
    seed: int,
    missing: Collection[str] = (),
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Mean, median, quartiles and a bootstrap confidence interval of each score of each structure, with definitions.

    table: columns of `scores.rows`. confusion: label pairs of all cases, summed. surface_tolerance: that of the
    surface Dice, mm. missing: cases without a prediction, which have the scores of `scores.missing_scores`. Every case
    counts in every mean; empty masks are counted beside them. patients: of each case; None: by their names.
    """
    cases = sorted(table["case"].unique())
    bootstrap = Bootstrap(cases, confidence=confidence, samples=bootstrap_samples, seed=seed, patients=patients)
    parts = {name: part.set_index("case").loc[cases] for name, part in table.groupby("region")}
    is_missing = np.isin(cases, list(missing))
    return {
        "format": 2,
        "cases": len(cases),
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, patients resampled {bootstrap_samples} times",
        "surface_tolerance_mm": surface_tolerance,
        "definitions": DEFINITIONS,
        "count_definitions": COUNT_DEFINITIONS,
        "structures": {name: _structure(name, parts[name], is_missing, bootstrap) for name in STRUCTURES},
        "macro": _macro([_label_scores(parts[name]) for name in LABEL_STRUCTURES], bootstrap, MACRO_DEFINITION),
        "macro_with_background": _macro(
            [_background_scores(parts["WT"], is_missing), *(_label_scores(parts[name]) for name in LABEL_STRUCTURES)],
            bootstrap,
            MACRO_WITH_BACKGROUND_DEFINITION,
        ),
        "confusion": _confusion(confusion),
        "never_predicted": never_predicted(table),
    }


def never_predicted(table: pd.DataFrame) -> list[str]:
    """Labels that the references have and no prediction has: the failure that a mean over regions hides."""
    voxels = table.groupby("region")[["reference_voxels", "predicted_voxels"]].sum()
    return [
        label
        for label in LABEL_STRUCTURES
        if voxels.loc[label, "reference_voxels"] > 0 and voxels.loc[label, "predicted_voxels"] == 0
    ]


def _structure(name: str, part: pd.DataFrame, is_missing: NDArray[np.bool_], bootstrap: Bootstrap) -> dict[str, Any]:
    no_reference, no_prediction = part["reference_voxels"] == 0, part["predicted_voxels"] == 0
    return {
        "name": STRUCTURE_NAMES[name],
        "labels": list(STRUCTURES[name]),
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


def _background_scores(whole_tumour: pd.DataFrame, is_missing: NDArray[np.bool_]) -> pd.DataFrame:
    """The scores of background, which is all that is not whole tumour; 0 where nothing was predicted at all."""
    columns = ["true_positives", "true_negatives", "reference_voxels", "predicted_voxels"]
    overlaps = [
        Overlap(true_negatives, reference - true_positives, predicted - true_positives, true_positives)
        for true_positives, true_negatives, reference, predicted in whole_tumour[columns].itertuples(index=False)
    ]
    scores = pd.DataFrame([{score: getattr(overlap, score) for score in MACRO_SCORES} for overlap in overlaps])
    scores[is_missing] = 0.0
    return scores


def _confusion(table: NDArray[np.int64]) -> dict[str, Any]:
    labels = [label for label in range(CLASSES) if label != UNUSED_CLASS]
    rows: Mapping[str, dict[str, int]] = {
        str(reference): {str(predicted): int(table[reference, predicted]) for predicted in labels}
        for reference in labels
    }
    return {
        "definition": "voxels of all cases together, by the reference's label, then by the predicted label; a missing "
        "prediction counts as background",
        "voxels": rows,
    }
