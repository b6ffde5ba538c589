"""Several sets of predictions side by side, and their paired differences to the first, on the same cases."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.metrics.scores import DEFINITIONS
from tumorseg.task import Task

BETTER_WHEN_LOW: Final = ("hd95", "hd95_border", "lesionwise_hd95", "volume_error_mm3")
TWO_SIDED: Final = ("volume_error_mm3",)
"""Scores that are best at 0 and can miss it on either side."""

COMPARISON_DEFINITIONS: Final = {
    "difference": "mean over the cases of a score minus that of the first folder, with its bootstrap interval; of the "
    "distances from 0 for volume_error_mm3",
    "better": "cases in which the score is better than in the first folder: lower for hd95, hd95_border and "
    "lesionwise_hd95, nearer to 0 for volume_error_mm3, higher for all others; equal and worse likewise",
    "p": "Wilcoxon's signed-rank test of these differences, two-sided, cases without a difference left out; 1 where no "
    "case has one. It takes cases for independent, and is not corrected for the number of tests made here",
}


def compare(
    tables: Mapping[str, pd.DataFrame],
    *,
    task: Task,
    confidence: float,
    bootstrap_samples: int,
    seed: int,
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Means of each score of each structure in every table, and differences of all but the first table to the first.

    tables: by name, of columns as `scores.rows` gives them, all of the same cases. patients: of
    each case; None: by their names.
    """
    first, *others = tables
    cases = sorted(tables[first]["case"].unique())
    bootstrap = Bootstrap(cases, confidence=confidence, samples=bootstrap_samples, seed=seed, patients=patients)
    parts = {
        (name, structure): part.set_index("case").loc[cases]
        for name, table in tables.items()
        for structure, part in table.groupby("region")
    }

    def of_score(structure: str, score: str) -> dict[str, Any]:
        values = {name: parts[name, structure][score].to_numpy(float) for name in tables}
        return {
            "means": {name: float(of_name.mean()) for name, of_name in values.items()},
            "differences": {name: _difference(values[first], values[name], score, bootstrap) for name in others},
        }

    return {
        "format": 1,
        "cases": len(cases),
        "first": first,
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, patients resampled {bootstrap_samples} times",
        "definitions": {**DEFINITIONS, **COMPARISON_DEFINITIONS},
        "structures": {
            structure: {score: of_score(structure, score) for score in DEFINITIONS} for structure in task.structures
        },
    }


def comparison_table(comparison: Mapping[str, Any]) -> pd.DataFrame:
    """What `compare` found, a row for each score of each structure, with columns `mean NAME`, `difference NAME` …"""
    return pd.DataFrame(
        [
            {
                "region": structure,
                "score": score,
                **{f"mean {name}": mean for name, mean in found["means"].items()},
                **{
                    f"{column} {name}": number
                    for name, numbers in found["differences"].items()
                    for column, number in numbers.items()
                },
            }
            for structure, scores in comparison["structures"].items()
            for score, found in scores.items()
        ]
    )


def _difference(
    first: NDArray[np.float64], other: NDArray[np.float64], score: str, bootstrap: Bootstrap
) -> dict[str, float]:
    if score in TWO_SIDED:
        first, other = np.abs(first), np.abs(other)
    differences = other - first
    gains = -differences if score in BETTER_WHEN_LOW else differences
    mean = bootstrap.describe(differences)
    return {
        "difference": mean["mean"],
        "low": mean["low"],
        "high": mean["high"],
        "better": int(np.count_nonzero(gains > 0)),
        "equal": int(np.count_nonzero(gains == 0)),
        "worse": int(np.count_nonzero(gains < 0)),
        "p": float(wilcoxon(differences).pvalue) if differences.any() else 1.0,
    }
