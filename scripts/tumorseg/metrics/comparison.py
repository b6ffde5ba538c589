"""Compare several sets of predictions on the same cases: means, and paired differences to the first set."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from tumorseg.formatting import format_list
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.metrics.record import Metric
from tumorseg.metrics.registry import definitions, describe_directions, metrics
from tumorseg.task import Task

_P_VALUE_DEFINITION: Final = (
    "Wilcoxon's signed-rank test of these differences, two-sided, cases without a difference left out; 1 where no "
    "case has one. It takes cases for independent, and is not corrected for the number of tests made here"
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

    def of_score(structure: str, metric: Metric) -> dict[str, Any]:
        values = {name: parts[name, structure][metric.name].to_numpy(float) for name in tables}
        return {
            "means": {name: float(of_name.mean()) for name, of_name in values.items()},
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
            structure: {metric.name: of_score(structure, metric) for metric in metrics()}
            for structure in task.structures
        },
    }


def comparison_definitions() -> dict[str, str]:
    """Return what the numbers of a comparison are, by name."""
    nearer = format_list([metric.name for metric in metrics() if metric.better == "nearer_zero"])
    better = describe_directions(metrics(), lambda metric: metric.name)
    return {
        "difference": "mean over the cases of a score minus that of the first folder, with its bootstrap interval; of "
        f"the distances from 0 for {nearer}",
        "better": f"cases in which the score is better than in the first folder: {better}; equal and worse likewise",
        "p": _P_VALUE_DEFINITION,
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
