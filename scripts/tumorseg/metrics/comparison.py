"""Compare several sets of predictions of the same cases: means, and paired differences from the first set."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from tumorseg.formatting import format_list
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import definitions, describe_directions, metrics
from tumorseg.task import Task

_P_VALUE_DEFINITION: Final = (
    "two-sided Wilcoxon signed-rank test of these differences, without the cases whose difference is 0; 1 if all are "
    "0. The test assumes independent cases and is not corrected for multiple testing"
)


def compare(
    tables: Mapping[str, pd.DataFrame],
    *,
    task: Task,
    confidence: float,
    bootstrap_samples: int,
    seed: int,
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the means of all scores in every table, and the differences of the other tables from the first.

    Args:
        tables: tables of scores by name, with the columns of `scores.score_rows`. All have the same cases.
        task: defines the structures.
        confidence: of the intervals, between 0 and 1.
        bootstrap_samples: number of resamplings of the patients.
        seed: of the resampling.
        patients: the patient of each case; None derives them from the names of the cases.

    Returns:
        The content of comparison.json, as plain JSON types.

    References:
        Wilcoxon 1945, doi:10.2307/3001968.
    """
    first, *others = tables
    cases = sorted(tables[first]["case"].unique())
    bootstrap = Bootstrap(cases, confidence=confidence, samples=bootstrap_samples, seed=seed, patients=patients)
    parts = {
        (name, structure): part.set_index("case").loc[cases]
        for name, table in tables.items()
        for structure, part in table.groupby("region")
    }

    def compare_score(structure: str, metric: Metric) -> dict[str, Any]:
        values = {name: parts[name, structure][metric.name].to_numpy(float) for name in tables}
        return {
            "means": {name: float(scores.mean()) for name, scores in values.items()},
            "differences": {name: _difference(values[first], values[name], metric, bootstrap) for name in others},
        }

    return {
        "format": 1,
        "cases": len(cases),
        "first": first,
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, patients resampled {bootstrap_samples} times",
        "definitions": {**definitions(), **comparison_definitions()},
        "structures": {
            structure: {metric.name: compare_score(structure, metric) for metric in metrics()}
            for structure in task.structures
        },
    }


def comparison_definitions() -> dict[str, str]:
    """Return the definition of each number of a comparison, by name."""
    nearer_zero = format_list([metric.name for metric in metrics() if metric.better == "nearer_zero"])
    directions = describe_directions(metrics(), lambda metric: metric.name)
    return {
        "difference": "mean over the cases of the score minus the first folder's score, with its bootstrap interval; "
        f"for {nearer_zero}, of the distances from 0",
        "better": f"cases whose score is better than in the first folder: {directions}; equal and worse likewise",
        "p": _P_VALUE_DEFINITION,
    }


def comparison_table(comparison: Mapping[str, Any]) -> pd.DataFrame:
    """Return the result of `compare` as a table with one row per score of each structure.

    Columns are `region`, `score`, `mean NAME` for each folder, and `difference NAME`, `low NAME`, … for each folder
    but the first.
    """
    return pd.DataFrame(
        [
            {
                "region": structure,
                "score": score,
                **{f"mean {name}": mean for name, mean in result["means"].items()},
                **{
                    f"{column} {name}": number
                    for name, numbers in result["differences"].items()
                    for column, number in numbers.items()
                },
            }
            for structure, scores in comparison["structures"].items()
            for score, result in scores.items()
        ]
    )


def _difference(
    first: NDArray[np.float64], other: NDArray[np.float64], metric: Metric, bootstrap: Bootstrap
) -> dict[str, float]:
    differences = metric.error(other) - metric.error(first)
    gains = metric.gains(differences)
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
