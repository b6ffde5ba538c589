"""Detect predictions whose labels are probably permuted: another order of the labels would have a far higher Dice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tumorseg.errors import Message

MIN_FOLDER_GAIN: Final = 0.15
MIN_FOLDER_DICE: Final = 0.3
"""Minimum gain in the mean label Dice of a folder, and the minimum Dice after it."""
MIN_CASE_GAIN: Final = 0.3
MIN_CASE_DICE: Final = 0.5
"""The same for a single case, if the folder as a whole fits."""
MIN_LABEL_GAIN: Final = 0.1
"""Minimum gain in the Dice of each exchanged label. In a poor mask, the Dice of only one of two labels rises."""
MIN_CASE_SHARE: Final = 0.75
"""Minimum share of cases whose Dice rises by `MIN_LABEL_GAIN`."""
_TIE_BREAK: Final = 1e-9


@dataclass(frozen=True)
class LabelPermutation:
    """A permutation of labels that raises the Dice.

    Attributes:
        mapping: the new label of each predicted label, for all labels.
        dice: mean label Dice of the masks as they are.
        permuted_dice: mean label Dice after the permutation.
    """

    mapping: Mapping[int, int]
    dice: float
    permuted_dice: float

    def gain_text(self) -> Message:
        """Return the gain in Dice, as the start of a message."""
        changes = ", ".join(f"{label} to {new}" for label, new in sorted(self.mapping.items()) if label != new)
        return (
            f"labels seem to be exchanged: the mean label Dice is {self.dice:.2f} and would be "
            f"{self.permuted_dice:.2f} with {changes} (scored as they are)"
        )

    def message(self, label_map: Mapping[int, int], *, several: bool) -> Message:
        """Return the hint on a folder.

        Args:
            label_map: the label map to set, see `permuted_label_map`.
            several: whether `score.label_map` has an entry per folder.
        """
        entries = ", ".join(f"{value}: {label}" for value, label in label_map.items())
        setting = "the entry of score.label_map for this folder to" if several else "score.label_map:"
        return f"{self.gain_text()}; if the masks use these labels, set {setting} {{{entries}}}"


def permuted_label_map(value_labels: Mapping[int, int], mapping: Mapping[int, int]) -> dict[int, int]:
    """Return the label map that permutes labels.

    Args:
        value_labels: the label that each value on disk is read as now.
        mapping: see `LabelPermutation`.

    Returns:
        The new label of each value on disk, without background.
    """
    return {value: mapping.get(label, label) for value, label in sorted(value_labels.items()) if value != 0}


@dataclass(frozen=True, eq=False)
class _CaseDice:
    """The Dice of all pairs of labels in a case.

    Attributes:
        dice: Dice of each reference label (row) with each predicted label (column), float64 (labels, labels).
        present: which labels the reference has, bool (labels,).
        predicted: which labels the prediction has, bool (labels,).
    """

    dice: NDArray[np.float64]
    present: NDArray[np.bool_]
    predicted: NDArray[np.bool_]

    @property
    def weighted_dice(self) -> NDArray[np.float64]:
        """`dice` divided by the number of reference labels, so that a sum over labels is their mean."""
        return self.dice / np.count_nonzero(self.present)


def find_folder_permutation(confusions: Sequence[NDArray[np.int64]], labels: Sequence[int]) -> LabelPermutation | None:
    """Return the permutation with which the masks of a folder would fit far better; None if there is none.

    All cases have equal weight, so a few bad ones decide nothing. Cases with an empty mask are left out.

    Args:
        confusions: confusion matrix of each case, int64 (classes, classes), with the reference label on the first axis.
        labels: labels of the task.
    """
    cases = [case for confusion in confusions if (case := _case_dice(confusion, labels))]
    if not cases:
        return None
    order = _best_order(np.mean([case.weighted_dice for case in cases], axis=0))
    gains = np.array([_mean_dice(case.weighted_dice, order) - np.trace(case.weighted_dice) for case in cases])
    changed = gains[np.abs(gains) > _TIE_BREAK]
    if changed.size == 0 or np.mean(changed >= MIN_LABEL_GAIN) < MIN_CASE_SHARE:
        return None
    return _accept_if_clear(cases, order, labels, MIN_FOLDER_GAIN, MIN_FOLDER_DICE)


def find_case_permutation(confusion: NDArray[np.int64], labels: Sequence[int]) -> LabelPermutation | None:
    """Return the permutation with which a mask would fit far better; None if there is none.

    The thresholds are higher than for a folder, and both masks must have the exchanged labels.

    Args:
        confusion: confusion matrix of the case, int64 (classes, classes), with the reference label on the first axis.
        labels: labels of the task.
    """
    case = _case_dice(confusion, labels)
    if case is None:
        return None
    order = _best_order(case.weighted_dice)
    moved = order != np.arange(len(order))
    if not (case.present & case.predicted)[moved].all():
        return None
    return _accept_if_clear([case], order, labels, MIN_CASE_GAIN, MIN_CASE_DICE)


def _case_dice(confusion: NDArray[np.int64], labels: Sequence[int]) -> _CaseDice | None:
    shared = confusion[np.ix_(labels, labels)].astype(np.float64)
    reference, predicted = confusion[list(labels)].sum(axis=1), confusion[:, list(labels)].sum(axis=0)
    if not reference.any() or not predicted.any():
        return None
    total = reference[:, None] + predicted[None]
    dice = np.divide(2 * shared, total, out=np.zeros_like(shared), where=total > 0)
    return _CaseDice(dice, reference > 0, predicted > 0)


def _best_order(weighted_dice: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the best predicted label for each reference label. A label without any gain keeps its place."""
    tie_break = _TIE_BREAK * np.eye(len(weighted_dice))
    order: NDArray[np.intp] = linear_sum_assignment(weighted_dice + tie_break, maximize=True)[1]
    return order


def _mean_dice(weighted_dice: NDArray[np.float64], order: NDArray[np.intp]) -> float:
    return float(weighted_dice[np.arange(len(weighted_dice)), order].sum())


def _accept_if_clear(
    cases: Sequence[_CaseDice], order: NDArray[np.intp], labels: Sequence[int], min_gain: float, min_dice: float
) -> LabelPermutation | None:
    mean = np.mean([case.weighted_dice for case in cases], axis=0)
    dice, permuted_dice = float(np.trace(mean)), _mean_dice(mean, order)
    if permuted_dice < min_dice or permuted_dice - dice < min_gain:
        return None
    ever_predicted = np.any([case.predicted for case in cases], axis=0)
    for row, column in enumerate(order):
        gains = [case.dice[row, column] - case.dice[row, row] for case in cases if case.present[row]]
        # A label that is never predicted gets the label that remains, so its own Dice need not rise.
        min_label_gain = MIN_LABEL_GAIN if ever_predicted[column] else -MIN_LABEL_GAIN
        if row != column and gains and np.mean(gains) < min_label_gain:
            return None
    return LabelPermutation({labels[column]: labels[row] for row, column in enumerate(order)}, dice, permuted_dice)
