"""Compare several sets of predictions of the same cases: means, and paired differences from one of the sets."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.formatting import format_list
from tumorseg.metrics.bootstrap import Bootstrap, Bootstraps
from tumorseg.metrics.comparable import NO_VALUE_DEFINITION, ScoreArrays
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.multiple_tests import holm
from tumorseg.metrics.ranking import rank_folders
from tumorseg.metrics.registry import describe_directions, metrics
from tumorseg.metrics.signed_rank import MAX_EXACT, signed_rank_p
from tumorseg.task import Task

_P_VALUE_DEFINITION: Final = (
    "two-sided Wilcoxon signed-rank test of these differences, without the cases whose difference is 0; 1 if all are "
    f"0. Differences of equal size share their mean rank. Exact for up to {MAX_EXACT} differences other than 0; for "
    "more, from the normal approximation. The test assumes independent cases"
)


def compare(
    tables: Mapping[str, pd.DataFrame],
    *,
    task: Task,
    confidence: float,
    bootstrap_samples: int,
    seed: int,
    baseline: str | None = None,
    scores: Sequence[Metric] | None = None,
    patients: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the means of all scores in every table, the differences from one of them, and the ranking.

    Args:
        tables: tables of scores by name, with the columns of `structure_scores.score_rows`. All have the same cases.
        task: defines the structures.
        confidence: of the intervals, between 0 and 1.
        bootstrap_samples: number of resamplings of the patients.
        seed: of the resampling.
        baseline: the table from which differences are taken; None for the first.
        scores: the scores to compare; None for all that are registered.
        patients: the patient of each case; None derives them from the names of the cases.

    Returns:
        The content of comparison.json, as plain JSON types.

    References:
        Wilcoxon 1945, doi:10.2307/3001968. Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    scores = metrics() if scores is None else scores
    arrays = ScoreArrays(tables)
    resampling: dict[str, Any] = {"confidence": confidence, "seed": seed, "patients": patients}
    bootstraps = Bootstraps(arrays.cases, samples=bootstrap_samples, **resampling)
    first = arrays.folders.index(baseline) if baseline is not None else 0
    structures = {
        structure: {metric.name: _compare_score(arrays, structure, metric, first, bootstraps) for metric in scores}
        for structure in task.structures
    }
    ranked_by = [metric for metric in scores if "ranking" in metric.places]
    return {
        "format": 2,
        "cases": len(arrays.cases),
        "patients": bootstraps.patients,
        "baseline": arrays.folders[first],
        "confidence": confidence,
        "interval": f"percentile bootstrap of the mean over cases, patients resampled {bootstrap_samples} times",
        "tests": _correct(structures, task, scores),
        "definitions": {
            **{metric.name: metric.definition for metric in scores},
            **comparison_definitions(scores),
        },
        "structures": structures,
        "ranking": rank_folders(tables, ranked_by, task=task, bootstrap_samples=bootstrap_samples, **resampling),
    }


def comparison_definitions(scores: Sequence[Metric]) -> dict[str, str]:
    """Return the definition of each number of a comparison, by name.

    Args:
        scores: the scores that are compared.
    """
    nearer_zero = format_list([metric.name for metric in scores if metric.better == "nearer_zero"])
    distances = f"; for {nearer_zero}, of the distances from 0" if nearer_zero else ""
    directions = describe_directions(scores, lambda metric: metric.name)
    return {
        "difference": "mean over the cases of the score minus the score of the baseline, with its bootstrap "
        f"interval{distances}",
        "better": f"cases whose score is better than in the baseline: {directions}; equal and worse likewise",
        "no value": NO_VALUE_DEFINITION,
        "p": _P_VALUE_DEFINITION,
        "p_holm": "p, corrected by the method of Holm for the number of tests in `tests`; none for other scores and "
        "structures, whose p is not corrected",
    }


def comparison_table(comparison: Mapping[str, Any]) -> pd.DataFrame:
    """Return the result of `compare` as a table with one row per score of each structure.

    Columns are `region`, `score`, `cases`, `mean NAME` for each folder, and `difference NAME`, `low NAME`, … for each
    folder but the baseline.
    """
    return pd.DataFrame(
        [
            {
                "region": structure,
                "score": score,
                "cases": result["cases"],
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


def _compare_score(
    arrays: ScoreArrays, structure: str, metric: Metric, first: int, bootstraps: Bootstraps
) -> dict[str, Any]:
    values, counted = arrays.comparable(structure, metric)
    means = values.mean(axis=0) if len(values) else [None] * len(arrays.folders)
    others = [index for index in range(len(arrays.folders)) if index != first]
    bootstrap = bootstraps.of(counted) if len(values) else None
    return {
        "cases": len(values),
        "means": {
            folder: None if mean is None else float(mean) for folder, mean in zip(arrays.folders, means, strict=True)
        },
        "differences": {
            arrays.folders[index]: _difference(values[:, first], values[:, index], metric, bootstrap)
            for index in others
        },
    }


def _difference(
    first: NDArray[np.float64], other: NDArray[np.float64], metric: Metric, bootstrap: Bootstrap | None
) -> dict[str, Any]:
    differences = metric.error(other) - metric.error(first)
    gains = metric.gains(differences)
    mean = bootstrap.describe(differences) if bootstrap else dict.fromkeys(("mean", "low", "high"))
    return {
        "difference": mean["mean"],
        "low": mean["low"],
        "high": mean["high"],
        "better": int(np.count_nonzero(gains > 0)),
        "equal": int(np.count_nonzero(gains == 0)),
        "worse": int(np.count_nonzero(gains < 0)),
        "p": signed_rank_p(differences),
        "p_holm": None,
    }


def _correct(structures: Mapping[str, Any], task: Task, scores: Sequence[Metric]) -> dict[str, Any]:
    """Set `p_holm` of the tests of the main scores of all regions. Return which tests these are."""
    tested = [metric.name for metric in scores if "terminal" in metric.places]
    results = [
        numbers
        for region in task.region_labels
        for score in tested
        if structures[region][score]["cases"]
        for numbers in structures[region][score]["differences"].values()
    ]
    for numbers, corrected in zip(results, holm([numbers["p"] for numbers in results]), strict=True):
        numbers["p_holm"] = corrected
    return {"correction": "Holm", "number": len(results), "scores": tested, "regions": [*task.region_labels]}
