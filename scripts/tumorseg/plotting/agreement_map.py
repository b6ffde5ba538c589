"""The agreement of a prediction with its reference, voxel by voxel: agreement, wrong label, missed, false."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task


@dataclass(frozen=True)
class Outcome:
    """One outcome of a voxel: its code, its name, and its look; hatches tell the outcomes apart without colour."""

    code: int
    name: str
    colour: str
    opacity: float
    hatch: str | None


AGREEMENT: Final = Outcome(1, "agreement (same label)", "#009e73", 0.5, None)
WRONG_LABEL: Final = Outcome(2, "tumour, but another label", "#cc79a7", 0.3, "....")
MISSED_TUMOUR: Final = Outcome(3, "missed (reference only)", "#ffffff", 0.2, "/////")
FALSE_TUMOUR: Final = Outcome(4, "false (prediction only)", "#e69f00", 0.2, "xxxxx")
OUTCOMES: Final = (AGREEMENT, WRONG_LABEL, MISSED_TUMOUR, FALSE_TUMOUR)
_SINGLE_LABEL_AGREEMENT: Final = replace(AGREEMENT, name="agreement")
_WRONG_LABEL_ANYWHERE: Final = replace(WRONG_LABEL, name="marked, but another label")
DIMMED_BRIGHTNESS: Final = 0.5
"""Brightness of the image below labels and outcomes: even in grey print they stand out, over bright tumour too."""


def task_outcomes(task: Task) -> tuple[Outcome, ...]:
    """Return the outcomes that masks of a task can have, with the names that fit its labels."""
    if len(task.labels) == 1:
        return _SINGLE_LABEL_AGREEMENT, MISSED_TUMOUR, FALSE_TUMOUR
    all_tumour = set(task.label_values) == set(task.region_labels[task.whole])
    return AGREEMENT, WRONG_LABEL if all_tumour else _WRONG_LABEL_ANYWHERE, MISSED_TUMOUR, FALSE_TUMOUR


def outcome_map(reference: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The outcome's code at each voxel of two masks of equal shape; 0 where both are background."""
    result = np.zeros(reference.shape, np.uint8)
    both = (reference > 0) & (prediction > 0)
    result[both & (reference == prediction)] = AGREEMENT.code
    result[both & (reference != prediction)] = WRONG_LABEL.code
    result[(reference > 0) & (prediction == 0)] = MISSED_TUMOUR.code
    result[(reference == 0) & (prediction > 0)] = FALSE_TUMOUR.code
    return result
