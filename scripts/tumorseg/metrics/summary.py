"""Scores over a cohort: a table with a row for each case and structure, and its summary."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.labels import LABEL_NAMES, REGION_NAMES, STRUCTURES, TUMOUR_LABELS
from tumorseg.metrics.overlap import DEFINITIONS, Overlap

SCORES = tuple(DEFINITIONS)
STRUCTURE_NAMES = {**REGION_NAMES, **{f"label_{label}": name for label, name in LABEL_NAMES.items()}}
LABEL_STRUCTURES = tuple(f"label_{label}" for label in TUMOUR_LABELS)
MACRO_DEFINITION = "mean over the labels 1, 2 and 4 of a case, without background; then the mean over the cases"


def rows(case: str, fold: int, scores: Mapping[str, Overlap]) -> list[dict[str, Any]]:
    """The rows of one case in the table of scores."""
    return [
        {
            "case": case,
            "fold": fold,
            "region": structure,
            **{score: getattr(overlap, score) for score in SCORES},
            "reference_voxels": overlap.reference_voxels,
            "predicted_voxels": overlap.predicted_voxels,
        }
        for structure, overlap in scores.items()
    ]


def summarise(table: pd.DataFrame, *, confidence: float, bootstrap_samples: int, seed: int) -> dict[str, Any]:
    """Mean, median, quartiles and a bootstrap confidence interval of each score of each structure, with definitions.

    table: columns of `rows`. The interval is the percentile interval of the mean over `bootstrap_samples` resamplings
    of the cases (Efron and Tibshirani 1993, chapter 13), the same resamplings for each number. Every case counts in
    every mean; empty masks are counted beside them.
    """
    cases = sorted(table["case"].unique())
    resamplings = np.random.default_rng(seed).integers(len(cases), size=(bootstrap_samples, len(cases)))
    tail = (1 - confidence) / 2

    def describe(values: NDArray[np.float64]) -> dict[str, float]:
        q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
        low, high = np.quantile(values[resamplings].mean(axis=1), [tail, 1 - tail])
        numbers = {"mean": values.mean(), "median": median, "q1": q1, "q3": q3, "low": low, "high": high}
        return {"n": len(values), **{name: float(number) for name, number in numbers.items()}}

    structures = {}
    for structure, labels in STRUCTURES.items():
        part = table[table["region"] == structure].set_index("case").loc[cases]
        no_reference, no_prediction = part["reference_voxels"] == 0, part["predicted_voxels"] == 0
        structures[structure] = {
            "name": STRUCTURE_NAMES[structure],
            "labels": list(labels),
            "scores": {score: describe(part[score].to_numpy(float)) for score in SCORES},
            "empty_reference": int(no_reference.sum()),
            "empty_prediction": int(no_prediction.sum()),
            "both_empty": int((no_reference & no_prediction).sum()),
        }
    per_label = table[table["region"].isin(LABEL_STRUCTURES)].groupby("case")
    return {
        "format": 1,
        "cases": len(cases),
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, {bootstrap_samples} resamplings",
        "definitions": DEFINITIONS,
        "structures": structures,
        "macro": {
            score: {**describe(per_label[score].mean().loc[cases].to_numpy(float)), "definition": MACRO_DEFINITION}
            for score in ("dice", "iou", "f1")
        },
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
