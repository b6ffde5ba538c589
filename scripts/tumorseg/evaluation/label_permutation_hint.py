"""Detect predictions whose labels are permuted: permuting them would raise the Dice far above its present value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tumorseg.errors import Message

MIN_FOLDER_GAIN: Final = 0.15
MIN_FOLDER_DICE: Final = 0.3
"""In a folder: the mean label Dice has to rise by the gain at least, to this value at least."""
MIN_CASE_GAIN: Final = 0.3
MIN_CASE_DICE: Final = 0.5
"""The same for a single case, of a folder that as a whole is in order."""
MIN_LABEL_GAIN: Final = 0.1
"""The Dice of each label that is exchanged has to rise by this at least: in a poor mask it rises for one of two."""
MIN_CASE_SHARE: Final = 0.75
"""The share of the cases that has to rise."""
_TIE_BREAK: Final = 1e-9


@dataclass(frozen=True)
class LabelPermutation:
    """An order of labels. moved: what each predicted label would become, all labels. given, then: mean label Dice."""

    mapping: Mapping[int, int]
    dice: float
    permuted_dice: float

    def gain_text(self) -> Message:
        """What exchanging labels would bring, as the start of a sentence."""
        order = ", ".join(f"{label} to {new}" for label, new in sorted(self.mapping.items()) if label != new)
        return (
            f"labels seem to be exchanged: the mean Dice of the labels is {self.dice:.2f} and would be "
            f"{self.permuted_dice:.2f} with {order} (scored as they are)"
        )

    def message(self, label_map: Mapping[int, int], *, several: bool) -> Message:
        """The hint for a folder. label_map: see `exchanged_map`. several: `score.label_map` has an entry a folder."""
        written = ", ".join(f"{value}: {label}" for value, label in label_map.items())
        entry = "the entry of score.label_map for this folder to" if several else "score.label_map:"
        return f"{self.gain_text()}; if these masks are written so, set {entry} {{{written}}}"


def permuted_label_map(value_labels: Mapping[int, int], mapping: Mapping[int, int]) -> dict[int, int]:
    """The label map that exchanges labels. read: what each value on disk is read as now; moved: see `Exchange`."""
    return {value: mapping.get(label, label) for value, label in sorted(value_labels.items()) if value != 0}


@dataclass(frozen=True, eq=False)
class _CaseDice:
    """A case. dice: of each reference label (row) with each predicted label. present: labels of the reference.

    predicted: labels of the prediction.
    """

    dice: NDArray[np.float64]
    present: NDArray[np.bool_]
    predicted: NDArray[np.bool_]

    @property
    def weighted_dice(self) -> NDArray[np.float64]:
        """The parts of the mean Dice over the reference's labels."""
        return self.dice / np.count_nonzero(self.present)


def find_folder_permutation(confusions: Sequence[NDArray[np.int64]], labels: Sequence[int]) -> LabelPermutation | None:
    """Return the order of labels in which the masks of a folder would fit far better; None where there is none.

    Every case has one vote, whatever its size: a few bad ones decide nothing. Empty masks have none.

    Args:
        tables: the voxels of each case by the reference's label and the predicted label, int64 (classes, classes).
        labels: the labels of the task.
    """
    cases = [case for table in confusions if (case := _case_dice(table, labels))]
    if not cases:
        return None
    order = _best_order(np.mean([case.weighted_dice for case in cases], axis=0))
    gains = np.array([_mean_dice(case.weighted_dice, order) - np.trace(case.weighted_dice) for case in cases])
    concerned = gains[np.abs(gains) > _TIE_BREAK]
    if concerned.size == 0 or np.mean(concerned >= MIN_LABEL_GAIN) < MIN_CASE_SHARE:
        return None
    return _accept_if_clear(cases, order, labels, MIN_FOLDER_GAIN, MIN_FOLDER_DICE)


def find_case_permutation(confusion: NDArray[np.int64], labels: Sequence[int]) -> LabelPermutation | None:
    """Return the same for a single case: with higher thresholds, and only for labels that both its masks have."""
    case = _case_dice(confusion, labels)
    if case is None:
        return None
    order = _best_order(case.weighted_dice)
    moved = order != np.arange(len(order))
    if not (case.present & case.predicted)[moved].all():
        return None
    return _accept_if_clear([case], order, labels, MIN_CASE_GAIN, MIN_CASE_DICE)


def _case_dice(confusion: NDArray[np.int64], labels: Sequence[int]) -> _CaseDice | None:
    pairs = confusion[np.ix_(labels, labels)].astype(np.float64)
    expected, predicted = confusion[list(labels)].sum(axis=1), confusion[:, list(labels)].sum(axis=0)
    if not expected.any() or not predicted.any():
        return None
    both = expected[:, None] + predicted[None]
    return _CaseDice(np.divide(2 * pairs, both, out=np.zeros_like(pairs), where=both > 0), expected > 0, predicted > 0)


def _best_order(parts: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each reference label the predicted one in the best order; labels stay where nothing is won."""
    order: NDArray[np.intp] = linear_sum_assignment(parts + _TIE_BREAK * np.eye(len(parts)), maximize=True)[1]
    return order


def _mean_dice(parts: NDArray[np.float64], order: NDArray[np.intp]) -> float:
    return float(parts[np.arange(len(parts)), order].sum())


def _accept_if_clear(
    cases: Sequence[_CaseDice], order: NDArray[np.intp], labels: Sequence[int], min_gain: float, min_dice: float
) -> LabelPermutation | None:
    mean = np.mean([case.weighted_dice for case in cases], axis=0)
    given, then = float(np.trace(mean)), _mean_dice(mean, order)
    if then < min_dice or then - given < min_gain:
        return None
    ever = np.any([case.predicted for case in cases], axis=0)
    for row, column in enumerate(order):
        rises = [case.dice[row, column] - case.dice[row, row] for case in cases if case.present[row]]
        # A label that no reference has, or that is never predicted, takes the place that is left.
        least = MIN_LABEL_GAIN if ever[column] else -MIN_LABEL_GAIN
        if row != column and rises and np.mean(rises) < least:
            return None
    return LabelPermutation({labels[column]: labels[row] for row, column in enumerate(order)}, given, then)
