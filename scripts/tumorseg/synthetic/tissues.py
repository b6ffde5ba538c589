"""The tissues of a synthetic tumour, and the label of each."""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task


class Tissue(IntEnum):
    """Tissue of a voxel of a tumour. Each has an appearance of its own; several share a label."""

    NONE = 0
    OEDEMA = 1
    SOLID = 2
    FLUID = 3
    BLOOD = 4
    ENHANCING = 5
    CAVITY = 6


CORE: Final = (Tissue.SOLID, Tissue.FLUID, Tissue.BLOOD, Tissue.ENHANCING)
"""The tissues of the tumour core."""
MEANINGS: Final = {
    Tissue.OEDEMA: "oedema",
    Tissue.SOLID: "necrosis",
    Tissue.FLUID: "necrosis",
    Tissue.BLOOD: "necrosis",
    Tissue.ENHANCING: "enhancing",
    Tissue.CAVITY: "cavity",
}
"""Meaning of the label of each tissue. As in BraTS, core that does not enhance has the label of necrosis."""


def task_labels(tissue: NDArray[np.uint8], task: Task) -> NDArray[np.uint8]:
    """Return the mask of a tumour in the labels of a task.

    Args:
        tissue: values of `Tissue`, of any shape.
        task: a task that `requirements.require_simulated` accepts.

    Returns:
        Labels of the task, of the shape of `tissue`.
    """
    values = np.zeros(max(Tissue) + 1, np.uint8)
    for part, meaning in MEANINGS.items():
        values[part] = task.label_of(meaning) or 0
    labels: NDArray[np.uint8] = values[tissue]
    return labels
