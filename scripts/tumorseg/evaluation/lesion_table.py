"""The table of lesions: each lesion and each false one of the held-out cases, by region."""

from dataclasses import asdict
from typing import Any, Final

import numpy as np

from tumorseg.evaluation.held_out_masks import CaseMasks, HeldOutMask
from tumorseg.metrics.lesions import lesion_outcomes
from tumorseg.task import Task

LESION_COLUMNS: Final = ("case", "fold", "region", "outcome", "mm3", "dice")
LESION_TEXT_COLUMNS: Final = ("case", "region", "outcome")
"""The text columns of the table; all others are numbers."""


def lesion_rows(item: HeldOutMask, masks: CaseMasks, task: Task) -> list[dict[str, Any]]:
    """Return the rows of a case in the table of lesions.

    Args:
        item: the case and its predicted mask.
        masks: its masks.
        task: defines the regions.
    """
    rows = []
    for region, labels in task.region_labels.items():
        reference, prediction = np.isin(masks.reference, labels), np.isin(masks.prediction, labels)
        rows += [
            {"case": item.case, "fold": item.fold, "region": region, **asdict(lesion)}
            for lesion in lesion_outcomes(reference, prediction, masks.spacing_mm)
        ]
    return rows
