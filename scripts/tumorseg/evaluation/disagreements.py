"""Find the cases with the largest disagreements, between folders or with the reference, and a slice that shows each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.evaluation.prediction_folder import PairedPredictions, read_pair
from tumorseg.metrics.registry import RANKED_BY
from tumorseg.orientation import DISPLAY_AXES, reorient, reoriented_spacing_mm
from tumorseg.task import Task

MAX_CASES: Final = 3
"""Cases shown for each kind of disagreement."""


@dataclass(frozen=True)
class Disagreement:
    """A case with a large disagreement.

    Attributes:
        case: name of the case.
        between_folders: whether the predictions of the folders disagree; otherwise one disagrees with the reference.
        dice: mean Dice over the labels by folder, for the folders with a valid prediction.
    """

    case: str
    between_folders: bool
    dice: dict[str, float]

    @property
    def spread(self) -> float:
        """The highest mean Dice minus the lowest."""
        return max(self.dice.values()) - min(self.dice.values())


@dataclass(frozen=True, eq=False)
class MaskSlices:
    """The same axial slice of all masks of a case; the patient's right is on the left.

    Attributes:
        reference: labels of the task, uint8 (rows, columns).
        predictions: the same of each folder; None for a missing or invalid prediction.
        pixel_mm: height and width of a pixel.
        number: number of the slice from the feet, from 1.
        count: number of slices.
    """

    reference: NDArray[np.uint8]
    predictions: dict[str, NDArray[np.uint8] | None]
    pixel_mm: tuple[float, float]
    number: int
    count: int


def find_disagreements(
    tables: Mapping[str, pd.DataFrame], paired: Mapping[str, PairedPredictions], task: Task
) -> list[Disagreement]:
    """Return the cases with the largest disagreements. Cases without a valid prediction do not count.

    These are up to `MAX_CASES` cases with the largest spread of the mean Dice over the folders, then as many other
    cases with the lowest mean Dice of any folder.

    Args:
        tables: tables of scores by folder.
        paired: the pairs of each folder.
        task: defines the labels.
    """
    dice: dict[str, dict[str, float]] = {}
    for folder, table in tables.items():
        valid = {pair.case for pair in paired[folder].pairs if pair.prediction is not None}
        rows = table[table["region"].isin(task.label_structures) & table["case"].isin(valid)]
        for case, mean in rows.groupby("case")[RANKED_BY].mean().items():
            dice.setdefault(str(case), {})[folder] = float(mean)
    between = [Disagreement(case, True, by_folder) for case, by_folder in dice.items()]
    between = sorted((found for found in between if found.spread > 0), key=lambda found: (-found.spread, found.case))
    between = between[:MAX_CASES]
    shown = {found.case for found in between}
    others = [Disagreement(case, False, by_folder) for case, by_folder in dice.items() if case not in shown]
    others = [found for found in others if min(found.dice.values()) < 1]
    return [*between, *sorted(others, key=lambda found: (min(found.dice.values()), found.case))[:MAX_CASES]]


def read_slices(disagreement: Disagreement, paired: Mapping[str, PairedPredictions]) -> MaskSlices:
    """Return the axial slice of a case in which its masks disagree most.

    Args:
        disagreement: the case. Between folders, the pixels count that are not the same in all predictions; otherwise,
            for each prediction, those that differ from the reference.
        paired: the pairs of each folder.
    """
    predictions: dict[str, NDArray[np.uint8] | None] = {}
    for folder, folder_pairs in paired.items():
        (pair,) = (pair for pair in folder_pairs.pairs if pair.case == disagreement.case)
        reference, prediction = read_pair(pair, folder_pairs.folders)
        predictions[folder] = None if prediction is None else reorient(prediction.labels, reference.affine)
    labels = reorient(reference.labels, reference.affine, DISPLAY_AXES)
    index = _slice_of(labels, [mask for mask in predictions.values() if mask is not None], disagreement.between_folders)
    spacing_mm = reoriented_spacing_mm(reference.affine)
    return MaskSlices(
        labels[:, :, index].T,
        {folder: None if mask is None else mask[:, :, index].T for folder, mask in predictions.items()},
        (spacing_mm[1], spacing_mm[0]),
        labels.shape[2] - index,
        labels.shape[2],
    )


def _slice_of(reference: NDArray[np.uint8], predictions: Sequence[NDArray[np.uint8]], between_folders: bool) -> int:
    """Return the index along the last axis of the slice with the largest disagreement."""
    if between_folders:
        differing = np.zeros(reference.shape, bool)
        for mask in predictions[1:]:
            differing |= mask != predictions[0]
        return int(np.count_nonzero(differing, axis=(0, 1)).argmax())
    counts = [np.count_nonzero(mask != reference, axis=(0, 1)) for mask in predictions]
    return int(np.sum(counts, axis=0).argmax())
