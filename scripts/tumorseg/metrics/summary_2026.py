"""Summarise the scores of a cohort as in BraTS 2025 and 2026, with a definition of each number."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from tumorseg.metrics.bootstrap import Bootstraps
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.records_2026 import CHALLENGE, COUNTS_2026, METRICS_2026
from tumorseg.task import Task

_COUNT_DEFINITIONS: Final = {
    "n": "cases with a value, which the mean and the other numbers are computed from",
    "without_value": "cases without a value, which they leave out",
    "mean_with_best": "mean over all cases, if those without a value count as the best one: 1, or 0 for HD95",
    "missing prediction": "counts as the worst value of each score, 0 or 373, in every structure; its counts are those "
    "of an empty prediction",
    "exchanged_edges": "cases whose voxel edges along X and Z differ. As in the challenge's evaluation package, their "
    "distances are computed with these edges exchanged",
}


def summarise_2026(
    table: pd.DataFrame,
    *,
    task: Task,
    confidence: float,
    bootstrap_samples: int,
    seed: int,
    exchanged_edges: Sequence[str] = (),
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return mean, median, quartiles and bootstrap confidence interval of all scores, with definitions.

    Cases without a value are left out and counted, as in the challenge. The mean that includes them is given too.

    Args:
        table: scores, one row per case and structure, with the columns of `records_2026.columns_2026`.
        task: defines the structures.
        confidence: of the intervals, between 0 and 1.
        bootstrap_samples: number of resamplings of the patients.
        seed: of the resampling.
        exchanged_edges: cases whose voxel edges along X and Z differ.
        patients: the patient of each case; None derives them from the names of the cases.

    Returns:
        The content of summary_2026.json, as plain JSON types. A number without cases is None.
    """
    cases = sorted(table["case"].unique())
    bootstraps = Bootstraps(cases, confidence=confidence, samples=bootstrap_samples, seed=seed, patients=patients)
    parts = {name: part.set_index("case").loc[cases] for name, part in table.groupby("region")}
    return {
        "format": 1,
        "challenge": CHALLENGE,
        "cases": len(cases),
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, patients resampled {bootstrap_samples} times",
        "definitions": {metric.name: metric.definition for metric in METRICS_2026},
        "count_definitions": {
            **{count.name: count.definition for count in COUNTS_2026 if count.definition},
            **_COUNT_DEFINITIONS,
        },
        "exchanged_edges": list(exchanged_edges),
        "structures": {name: _structure(task, name, parts[name], bootstraps) for name in task.structures},
    }


def _describe(values: pd.Series, metric: Metric, bootstraps: Bootstraps) -> dict[str, Any]:
    """Return the statistics of a score, whose values are in the order of the cases."""
    scores = values.to_numpy(float)
    has_value = ~np.isnan(scores)
    if has_value.any():
        statistics: dict[str, Any] = bootstraps.of(has_value).describe(scores[has_value])
    else:
        statistics = {"n": 0, **dict.fromkeys(("mean", "median", "q1", "q3", "low", "high"))}
    return {
        **statistics,
        "without_value": int(np.count_nonzero(~has_value)),
        "mean_with_best": float(np.where(has_value, scores, metric.best).mean()),
    }


def _structure(task: Task, name: str, part: pd.DataFrame, bootstraps: Bootstraps) -> dict[str, Any]:
    return {
        "name": task.structure_titles[name],
        "labels": list(task.structures[name]),
        "scores": {metric.name: _describe(part[metric.name], metric, bootstraps) for metric in METRICS_2026},
        **{count.name: int(part[count.name].sum()) for count in COUNTS_2026 if count.definition},
    }
