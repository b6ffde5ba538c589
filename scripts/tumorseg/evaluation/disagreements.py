"""Find the cases with the largest disagreements, between folders or with the reference, and a slice that shows each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.evaluation.prediction_folder import PairedPredictions, read_pair
from tumorseg.metrics.registry import RANKED_BY
from tumorseg.orientation import DISPLAY_AXES, reorient, reoriented_affine, reoriented_spacing_mm
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
class CaseMasks:
    """All masks of a case, reoriented to the axes (L, P, I).

    Attributes:
        case: name of the case.
        reference: labels of the task, uint8 (L, P, I).
        predictions: the same of each folder; None for a missing or invalid prediction.
        spacing_mm: edges of a voxel.
        affine: voxel indices to patient coordinates in mm, (4, 4).
    """

    case: str
    reference: NDArray[np.uint8]
    predictions: dict[str, NDArray[np.uint8] | None]
    spacing_mm: tuple[float, float, float]
    affine: NDArray[np.float64]

    @property
    def valid(self) -> dict[str, NDArray[np.uint8]]:
        """The valid predictions, by folder."""
        return {folder: mask for folder, mask in self.predictions.items() if mask is not None}


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


def read_masks(case: str, paired: Mapping[str, PairedPredictions]) -> CaseMasks:
    """Return all masks of a case.

    Args:
        case: name of the case.
        paired: the pairs of each folder.
    """
    predictions: dict[str, NDArray[np.uint8] | None] = {}
    for folder, folder_pairs in paired.items():
        (pair,) = (pair for pair in folder_pairs.pairs if pair.case == case)
        reference, prediction = read_pair(pair, folder_pairs.folders)
        predictions[folder] = None if prediction is None else reorient(prediction.labels, reference.affine)
    return CaseMasks(
        case,
        reorient(reference.labels, reference.affine),
        predictions,
        reoriented_spacing_mm(reference.affine),
        reoriented_affine(reference.affine, reference.labels.shape, DISPLAY_AXES),
    )


def slices_of(masks: CaseMasks, *, between_folders: bool) -> MaskSlices:
    """Return the axial slice in which the masks of a case disagree most.

    Args:
        masks: the masks.
        between_folders: whether the pixels count that are not the same in all predictions; otherwise, for each
            prediction, those that differ from the reference.
    """
    index = _slice_of(masks.reference, [*masks.valid.values()], between_folders)
    count = masks.reference.shape[2]
    return MaskSlices(
        masks.reference[:, :, index].T,
        {folder: None if mask is None else mask[:, :, index].T for folder, mask in masks.predictions.items()},
        (masks.spacing_mm[1], masks.spacing_mm[0]),
        count - index,
        count,
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
