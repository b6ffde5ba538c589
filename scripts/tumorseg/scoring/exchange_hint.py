"""Whether predictions write their labels in another order than they are read: exchanged labels would fit far better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tumorseg.errors import Message

LEAST_GAIN: Final = 0.15
LEAST_DICE: Final = 0.3
"""In a folder: the mean label Dice has to rise by the gain at least, to this value at least."""
LEAST_GAIN_OF_CASE: Final = 0.3
LEAST_DICE_OF_CASE: Final = 0.5
"""The same for a single case, of a folder that as a whole is in order."""
LEAST_RISE: Final = 0.1
"""The Dice of each label that is exchanged has to rise by this at least: in a poor mask it rises for one of two."""
LEAST_SHARE: Final = 0.75
"""The share of the cases that has to rise."""
_TIE: Final = 1e-9


@dataclass(frozen=True)
class Exchange:
    """An order of labels. moved: what each predicted label would become, all labels. given, then: mean label Dice."""

    moved: Mapping[int, int]
    given: float
    then: float

    def gain(self) -> Message:
        """What exchanging labels would bring, as the start of a sentence."""
        order = ", ".join(f"{label} to {new}" for label, new in sorted(self.moved.items()) if label != new)
        return (
            f"labels seem to be exchanged: the mean Dice of the labels is {self.given:.2f} and would be "
            f"{self.then:.2f} with {order} (scored as they are)"
        )

    def message(self, label_map: Mapping[int, int], *, several: bool) -> Message:
        """The hint for a folder. label_map: see `exchanged_map`. several: `score.label_map` has an entry a folder."""
        written = ", ".join(f"{value}: {label}" for value, label in label_map.items())
        entry = "the entry of score.label_map for this folder to" if several else "score.label_map:"
        return f"{self.gain()}; if these masks are written so, set {entry} {{{written}}}"


def exchanged_map(read: Mapping[int, int], moved: Mapping[int, int]) -> dict[int, int]:
    """The label map that exchanges labels. read: what each value on disk is read as now; moved: see `Exchange`."""
    return {value: moved.get(label, label) for value, label in sorted(read.items()) if value != 0}


@dataclass(frozen=True, eq=False)
class _Case:
    """A case. dice: of each reference label (row) with each predicted label. present: labels of the reference.

    predicted: labels of the prediction.
    """

    dice: NDArray[np.float64]
    present: NDArray[np.bool_]
    predicted: NDArray[np.bool_]

    @property
    def parts(self) -> NDArray[np.float64]:
        """The parts of the mean Dice over the reference's labels."""
        return self.dice / np.count_nonzero(self.present)


def exchange_of_folder(tables: Sequence[NDArray[np.int64]], labels: Sequence[int]) -> Exchange | None:
    """Return the order of labels in which the masks of a folder would fit far better; None where there is none.

    Every case has one vote, whatever its size: a few bad ones decide nothing. Empty masks have none.

    Args:
        tables: the voxels of each case by the reference's label and the predicted label, int64 (classes, classes).
        labels: the labels of the task.
    """
    cases = [case for table in tables if (case := _case(table, labels))]
    if not cases:
        return None
    order = _best(np.mean([case.parts for case in cases], axis=0))
    gains = np.array([_total(case.parts, order) - np.trace(case.parts) for case in cases])
    concerned = gains[np.abs(gains) > _TIE]
    if concerned.size == 0 or np.mean(concerned >= LEAST_RISE) < LEAST_SHARE:
        return None
    return _checked(cases, order, labels, LEAST_GAIN, LEAST_DICE)


def exchange_of_case(table: NDArray[np.int64], labels: Sequence[int]) -> Exchange | None:
    """Return the same for a single case: with higher thresholds, and only for labels that both its masks have."""
    case = _case(table, labels)
    if case is None:
        return None
    order = _best(case.parts)
    moved = order != np.arange(len(order))
    if not (case.present & case.predicted)[moved].all():
        return None
    return _checked([case], order, labels, LEAST_GAIN_OF_CASE, LEAST_DICE_OF_CASE)


def _case(table: NDArray[np.int64], labels: Sequence[int]) -> _Case | None:
    pairs = table[np.ix_(labels, labels)].astype(np.float64)
    expected, predicted = table[list(labels)].sum(axis=1), table[:, list(labels)].sum(axis=0)
    if not expected.any() or not predicted.any():
        return None
    both = expected[:, None] + predicted[None]
    return _Case(np.divide(2 * pairs, both, out=np.zeros_like(pairs), where=both > 0), expected > 0, predicted > 0)


def _best(parts: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each reference label the predicted one in the best order; labels stay where nothing is won."""
    order: NDArray[np.intp] = linear_sum_assignment(parts + _TIE * np.eye(len(parts)), maximize=True)[1]
    return order


def _total(parts: NDArray[np.float64], order: NDArray[np.intp]) -> float:
    return float(parts[np.arange(len(parts)), order].sum())


def _checked(
    cases: Sequence[_Case], order: NDArray[np.intp], labels: Sequence[int], least_gain: float, least_dice: float
) -> Exchange | None:
    mean = np.mean([case.parts for case in cases], axis=0)
    given, then = float(np.trace(mean)), _total(mean, order)
    if then < least_dice or then - given < least_gain:
        return None
    ever = np.any([case.predicted for case in cases], axis=0)
    for row, column in enumerate(order):
        rises = [case.dice[row, column] - case.dice[row, row] for case in cases if case.present[row]]
        # A label that no reference has, or that is never predicted, takes the place that is left.
        least = LEAST_RISE if ever[column] else -LEAST_RISE
        if row != column and rises and np.mean(rises) < least:
            return None
    return Exchange({labels[column]: labels[row] for row, column in enumerate(order)}, given, then)
