"""The predicted masks of the held-out cases, with their reference masks on the original grids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.splits import FoldAssignment
from tumorseg.cohort.validated_files import reread_mask
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.inference.prediction_files import read_recorded_prediction
from tumorseg.inference.records import RecordedMask, find_mask, recorded_masks
from tumorseg.metrics.surface_elements import Spacing
from tumorseg.preprocessing.store import Origin
from tumorseg.task import Task


@dataclass(frozen=True)
class HeldOutMask:
    """A held-out case and its predicted mask.

    Attributes:
        case: name of the case.
        fold: fold that holds out the case.
        facts: facts of the case's validation result.
        prediction: the predicted mask as the record of its fold names it.
    """

    case: str
    fold: int
    facts: Mapping[str, Any]
    prediction: RecordedMask

    @property
    def voxel_mm3(self) -> float:
        """The volume of a voxel in mm³, exactly as in the prediction."""
        shape, affine = (tuple(self.facts[key]) for key in ("shape", "affine"))
        crop = ((0, shape[0]), (0, shape[1]), (0, shape[2]))
        return Origin(self.case, shape, affine, crop, None, {}, {}).voxel_mm3


@dataclass(frozen=True, eq=False)
class CaseMasks:
    """The reference and the predicted mask of a case.

    Attributes:
        reference: canonical labels, uint8 (X, Y, Z).
        prediction: canonical labels, uint8, of the same shape.
        spacing_mm: voxel edges along X, Y and Z.
    """

    reference: NDArray[np.uint8]
    prediction: NDArray[np.uint8]
    spacing_mm: Spacing


def held_out_masks(
    splits: Sequence[FoldAssignment], validation_results: Sequence[Path], predictions: Sequence[Path]
) -> list[HeldOutMask]:
    """Return the held-out cases of all folds, in the order of the splits.

    Args:
        splits: fold of each case.
        validation_results: files of the validation results of all shards.
        predictions: folders of predicted masks, in the order of the folds.

    Raises:
        UserError: a record of predictions is corrupted, or a mask is missing.
    """
    facts = {result.case: result.facts for path in validation_results for result in read_validation_results(path)}
    masks = recorded_masks(predictions)
    return [
        HeldOutMask(row.case, row.fold, facts[row.case], find_mask(masks, row.case, row.fold))
        for row in splits
        if row.fold >= 0
    ]


def read_case_masks(item: HeldOutMask, root: Path, task: Task) -> CaseMasks:
    """Return the reference and the predicted mask of a held-out case, read from their files.

    Args:
        item: the case.
        root: folder of the case folders.
        task: defines the labels.

    Raises:
        UserError: the reference has changed since its validation, or the prediction since it was written.
    """
    volume = reread_mask(root, item.facts, task)
    prediction = read_recorded_prediction(item.prediction, item.facts["shape"], item.facts["affine"])
    x, y, z = volume.spacing_mm
    return CaseMasks(volume.array, prediction, (x, y, z))
