"""Compare a prediction with its reference voxel by voxel: agreement, wrong label, missed or false tumour."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task


@dataclass(frozen=True)
class Outcome:
    """The outcome of the comparison at a voxel.

    Attributes:
        code: the value in `outcome_map`.
        name: the name in legends.
        colour: the colour as `#rrggbb`.
        opacity: the opacity over the image, 0 to 1.
        hatch: the hatch, which distinguishes the outcomes without colour; None for none.
    """

    code: int
    name: str
    colour: str
    opacity: float
    hatch: str | None


AGREEMENT: Final = Outcome(1, "agreement (same label)", "#009e73", 0.5, None)
WRONG_LABEL: Final = Outcome(2, "wrong tumour label", "#cc79a7", 0.3, "....")
MISSED_TUMOUR: Final = Outcome(3, "missed (reference only)", "#ffffff", 0.2, "/////")
FALSE_TUMOUR: Final = Outcome(4, "false (prediction only)", "#e69f00", 0.2, "xxxxx")
OUTCOMES: Final = (AGREEMENT, WRONG_LABEL, MISSED_TUMOUR, FALSE_TUMOUR)
DIMMED_BRIGHTNESS: Final = 0.5
"""Brightness of the image below labels and outcomes, which must stay visible over bright tumour and in grey print."""


def task_outcomes(task: Task) -> tuple[Outcome, ...]:
    """Return the possible outcomes for masks of a task, with names that fit its labels."""
    if len(task.labels) == 1:
        return replace(AGREEMENT, name="agreement"), MISSED_TUMOUR, FALSE_TUMOUR
    all_tumour = set(task.label_values) == set(task.region_labels[task.whole_tumour])
    wrong_label = WRONG_LABEL if all_tumour else replace(WRONG_LABEL, name="wrong label")
    return AGREEMENT, wrong_label, MISSED_TUMOUR, FALSE_TUMOUR


def outcome_map(reference: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the outcome of the comparison at each voxel of two masks.

    Args:
        reference: labels, uint8 of any shape.
        prediction: labels, uint8, of the same shape.

    Returns:
        The code of the outcome, uint8 of the same shape; 0 where both masks are background.
    """
    result = np.zeros(reference.shape, np.uint8)
    both = (reference > 0) & (prediction > 0)
    result[both & (reference == prediction)] = AGREEMENT.code
    result[both & (reference != prediction)] = WRONG_LABEL.code
    result[(reference > 0) & (prediction == 0)] = MISSED_TUMOUR.code
    result[(reference == 0) & (prediction > 0)] = FALSE_TUMOUR.code
    return result
