"""Rank several sets of predictions as the BraTS challenges rank teams, with the stability of the ranking.

Each case, structure and score gives a rank to each folder. The mean of a folder's ranks orders the folders. How stable
this order is shows in bootstrap samples of the patients.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from tumorseg.metrics.bootstrap import Bootstraps
from tumorseg.metrics.comparable import NO_VALUE_DEFINITION, ScoreArrays
from tumorseg.metrics.metric_record import Metric
from tumorseg.task import Task

_DECIMALS: Final = 9
"""Mean ranks that agree in these decimals are equal: sums of floats may differ in the last digit."""
RANKING_DEFINITIONS: Final = {
    "mean_rank": "for each case, region and score, the folders get ranks from 1 (best); equal scores share the mean of "
    "their ranks. Ranks are averaged over the regions and scores of a case, then over the cases",
    "rank": "order of the mean ranks; equal mean ranks share the smaller number",
    "no value": NO_VALUE_DEFINITION,
    "low": "lower end of the percentile interval of the rank over the bootstrap samples; high likewise",
    "rank_shares": "share of the bootstrap samples in which the folder has the rank 1, 2, …",
    "kendall_tau": "mean over the bootstrap samples of Kendall's tau-b between their ranking and that of all cases: 1 "
    "if the order is always the same; none if all folders share a rank",
    "source": "ranks for each case, region and score, then their mean, as in Bakas et al. 2018, arXiv:1811.02629; "
    "stability as in Wiesenfarth et al. 2021, doi:10.1038/s41598-021-82017-6",
}
"""Definitions of the numbers of `rank_folders`."""


def rank_folders(
    tables: Mapping[str, pd.DataFrame],
    criteria: Sequence[Metric],
    *,
    task: Task,
    confidence: float,
    bootstrap_samples: int,
    seed: int,
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the ranking of several folders of predictions.

    Args:
        tables: tables of scores by folder, see `comparable.ScoreArrays`.
        criteria: the scores to rank by.
        task: defines the regions.
        confidence: of the intervals, between 0 and 1.
        bootstrap_samples: number of resamplings of the patients.
        seed: of the resampling.
        patients: the patient of each case; None derives them from the names of the cases.

    Returns:
        Plain JSON types: the numbers of each folder in `folders`, see `RANKING_DEFINITIONS`, with the number of cases.

    References:
        Bakas et al. 2018, arXiv:1811.02629. Wiesenfarth et al. 2021, doi:10.1038/s41598-021-82017-6.
    """
    arrays = ScoreArrays(tables)
    errors = np.full((len(arrays.cases), len(task.region_labels) * len(criteria), len(arrays.folders)), np.nan)
    pairs = [(region, metric) for region in task.region_labels for metric in criteria]
    for column, (region, metric) in enumerate(pairs):
        values, counted = arrays.comparable(region, metric)
        errors[counted, column] = -metric.gains(metric.error(values))
    counted = ~np.isnan(errors).all(axis=(1, 2))
    found: dict[str, Any] = {
        "definitions": RANKING_DEFINITIONS,
        "scores": [metric.name for metric in criteria],
        "regions": [*task.region_labels],
        "cases": int(counted.sum()),
        "bootstrap_samples": bootstrap_samples,
    }
    if not counted.any():
        return {**found, "kendall_tau": None, "folders": {}}
    ranks = case_ranks(errors[counted])
    bootstraps = Bootstraps(
        arrays.cases, confidence=confidence, samples=bootstrap_samples, seed=seed, patients=patients
    )
    mean_ranks = ranks.mean(axis=0)
    order, resampled = order_of(mean_ranks), order_of(bootstraps.of(counted).resampled_means(ranks))
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return {
        **found,
        "kendall_tau": mean_kendall_tau(order, resampled),
        "folders": {
            folder: {
                "rank": int(order[index]),
                "mean_rank": float(mean_ranks[index]),
                "low": int(low[index]),
                "high": int(high[index]),
                "rank_shares": [float(np.mean(resampled[:, index] == rank + 1)) for rank in range(len(order))],
            }
            for index, folder in enumerate(arrays.folders)
        },
    }


def case_ranks(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean rank of each folder in each case.

    Args:
        errors: numbers to rank, the smallest first, float64 (cases, criteria, folders). A criterion that does not count
            in a case is not a number for all folders. Each case has at least one criterion that counts.

    Returns:
        Mean over the criteria of the ranks, float64 (cases, folders). The ranks of equal numbers are their mean.

    Example:
        >>> case_ranks(np.array([[[0.1, 0.2, 0.2], [3.0, 1.0, 2.0]]])).tolist()
        [[2.0, 1.75, 2.25]]
    """
    ranks: NDArray[np.float64] = np.nanmean(rankdata(errors, axis=-1, nan_policy="propagate"), axis=1)
    return ranks


def order_of(mean_ranks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order of folders by their mean ranks, from 1; equal ones share the smaller number.

    Args:
        mean_ranks: float64 (..., folders).

    Returns:
        The order along the last axis, int64 of the same shape.
    """
    order: NDArray[np.int64] = rankdata(mean_ranks.round(_DECIMALS), method="min", axis=-1).astype(np.int64)
    return order


def mean_kendall_tau(order: NDArray[np.int64], resampled: NDArray[np.int64]) -> float | None:
    """Return the mean of Kendall's tau-b between an order and each of several others.

    Args:
        order: int64 (folders,).
        resampled: int64 (samples, folders). A sample in which all folders share a rank counts as 0.

    Returns:
        The mean; None if all folders share a rank in `order`.

    References:
        Kendall 1945, doi:10.1093/biomet/33.3.239.
    """
    first, second = np.triu_indices(len(order), k=1)
    signs = np.sign(order[first] - order[second])
    resampled_signs = np.sign(resampled[:, first] - resampled[:, second])
    untied, resampled_untied = np.count_nonzero(signs), np.count_nonzero(resampled_signs, axis=1)
    if not untied:
        return None
    scale = np.sqrt(untied * np.maximum(resampled_untied, 1))
    return float(np.mean((resampled_signs @ signs) / scale))
