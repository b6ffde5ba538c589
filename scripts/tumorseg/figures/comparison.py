"""A prediction beside its reference, voxel by voxel: what agrees, what is missed, what is false."""

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
OTHER_LABEL: Final = Outcome(2, "tumour, but another label", "#cc79a7", 0.3, "....")
MISSED: Final = Outcome(3, "missed (reference only)", "#ffffff", 0.2, "/////")
FALSE: Final = Outcome(4, "false (prediction only)", "#e69f00", 0.2, "xxxxx")
OUTCOMES: Final = (AGREEMENT, OTHER_LABEL, MISSED, FALSE)
_SIMPLY: Final = replace(AGREEMENT, name="agreement")
_ELSEWHERE: Final = replace(OTHER_LABEL, name="marked, but another label")
DIMMED: Final = 0.5
"""Brightness of the image below labels and outcomes: even in grey print they stand out, over bright tumour too."""


def outcomes(task: Task) -> tuple[Outcome, ...]:
    """Return the outcomes that masks of a task can have, with the names that fit its labels."""
    if len(task.labels) == 1:
        return _SIMPLY, MISSED, FALSE
    all_tumour = set(task.label_values) == set(task.region_labels[task.whole])
    return AGREEMENT, OTHER_LABEL if all_tumour else _ELSEWHERE, MISSED, FALSE


def compare(reference: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The outcome's code at each voxel of two masks of equal shape; 0 where both are background."""
    result = np.zeros(reference.shape, np.uint8)
    both = (reference > 0) & (prediction > 0)
    result[both & (reference == prediction)] = AGREEMENT.code
    result[both & (reference != prediction)] = OTHER_LABEL.code
    result[(reference > 0) & (prediction == 0)] = MISSED.code
    result[(reference == 0) & (prediction > 0)] = FALSE.code
    return result
