"""Choose post-processing by cross-fitting: what is chosen for the cases of a fold never depends on these cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.errors import UserError
from tumorseg.evaluation.postprocessing_masks import SCORES
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.task import Task

MEAN: Final = "mean"
"""Name of the mean over the structures in the column `region`."""
_DECIMALS: Final = 9
"""Candidates whose mean Dice agrees to this many decimals are tied."""


@dataclass(frozen=True)
class Choices:
    """The chosen candidates, as positions in the list of candidates.

    Attributes:
        by_fold: for each fold, the candidate chosen on the cases of the other folds.
        overall: the candidate chosen on the cases of all folds.
    """

    by_fold: dict[int, int]
    overall: int


def mean_structures(task: Task) -> list[str]:
    """Return the structures of the mean. Of a region and a label with the same voxels, it has only the region."""
    by_labels: dict[tuple[int, ...], str] = {}
    for structure, labels in task.structures.items():
        by_labels.setdefault(labels, structure)
    return list(by_labels.values())


def mean_over_structures(values: NDArray[np.float64], task: Task) -> NDArray[np.float64]:
    """Return the mean over `mean_structures`.

    Args:
        values: float64 (..., structures), with all structures of the task in order.
        task: defines the structures.

    Returns:
        The means, float64 (...).
    """
    mean: NDArray[np.float64] = values[..., _positions(task)].mean(axis=-1)
    return mean


def choose(mean_dice: NDArray[np.float64], folds: Sequence[int]) -> Choices:
    """Return the candidate with the highest mean over the cases of the other folds, for each fold, and over all cases.

    The first of several equal candidates is chosen, which post-processes least.

    Args:
        mean_dice: mean Dice over the structures, float64 (cases, candidates), candidates with the least
            post-processing first.
        folds: the fold of each case.

    Raises:
        UserError: there are fewer than two folds.
    """
    fold_of = np.array(folds)
    numbers = sorted(set(folds))
    if len(numbers) < 2:
        raise UserError(
            "cohort.folds: post-processing is chosen by cross-validation, which needs held-out cases of at least 2 "
            "folds; set cohort.folds to 3 or 5"
        )
    return Choices({fold: _best(mean_dice[fold_of != fold]) for fold in numbers}, _best(mean_dice))


def gain_table(
    scores: NDArray[np.float64], has_structure: NDArray[np.bool_], bootstrap: Bootstrap, task: Task
) -> pd.DataFrame:
    """Return what post-processing changes, with a row for the mean and each structure, and for each score.

    A gain is the score after post-processing minus the score of the same case before it.

    Args:
        scores: float64 (cases, 2, structures, scores): before and after, in the order of `SCORES`.
        has_structure: whether the reference has the structure, bool (cases, structures).
        bootstrap: of the cases, in this order.
        task: defines the structures.
    """
    positions = {MEAN: _positions(task)} | {name: [index] for index, name in enumerate(task.structures)}
    return pd.DataFrame(
        [
            {
                "region": name,
                "score": score,
                **_gain(
                    scores[:, 0, columns, number], scores[:, 1, columns, number], has_structure[:, columns], bootstrap
                ),
            }
            for number, score in enumerate(SCORES)
            for name, columns in positions.items()
        ]
    )


def _positions(task: Task) -> list[int]:
    names = list(task.structures)
    return [names.index(name) for name in mean_structures(task)]


def _best(mean_dice: NDArray[np.float64]) -> int:
    return int(np.round(mean_dice.mean(axis=0), _DECIMALS).argmax())


def _gain(
    before: NDArray[np.float64], after: NDArray[np.float64], has_structure: NDArray[np.bool_], bootstrap: Bootstrap
) -> Mapping[str, Any]:
    """Return the numbers of a row. Arrays: (cases, structures), with several structures for the mean."""
    differences = after - before
    gains = differences.mean(axis=1)
    mean = bootstrap.describe(gains)
    present, absent = differences[has_structure], differences[~has_structure]
    only_absent = mean["mean"] > 0 and round(present.sum(), _DECIMALS) <= 0
    return {
        "cases": len(gains),
        "before": before.mean(),
        "after": after.mean(),
        "gain": mean["mean"],
        "low": mean["low"],
        "high": mean["high"],
        "better": np.count_nonzero(gains > 0),
        "worse": np.count_nonzero(gains < 0),
        "present": present.size,
        "gain_present": present.mean() if present.size else np.nan,
        "absent": absent.size,
        "gain_absent": absent.mean() if absent.size else np.nan,
        "only_absent": str(only_absent).lower(),
    }
