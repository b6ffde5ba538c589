"""The tissues of a synthetic tumour, and the tasks whose labels and channels can be simulated."""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.errors import UserError
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
CHANNELS: Final = ("t1", "t1ce", "t2", "flair")
"""The channels that can be simulated."""
_REQUIRED: Final = ("necrosis", "oedema", "enhancing")


def require_simulated(task: Task) -> None:
    """Check that synthetic cases can have all channels and labels of a task.

    Args:
        task: the task to check.

    Raises:
        UserError: the task has another channel or label, or lacks a label.
    """
    if other := [name for name in task.channel_names if name not in CHANNELS]:
        raise UserError(
            f"task {task.name}: synthetic cases cannot have the channel {other[0]}, only {', '.join(CHANNELS)}; train "
            "on real cases alone"
        )
    meanings = [label.meaning for label in task.labels]
    known = [*_REQUIRED, "cavity"]
    if wrong := [label for label in task.labels if label.meaning not in known]:
        raise UserError(
            f"task {task.name}: label {wrong[0].value} ({wrong[0].title}) means {wrong[0].meaning}; synthetic cases "
            f"can only have labels that mean {', '.join(known)}; train on real cases alone"
        )
    if (missing := [meaning for meaning in _REQUIRED if meaning not in meanings]) or len(set(meanings)) < len(meanings):
        problem = f"no label means {missing[0]}" if missing else "two labels have the same meaning"
        raise UserError(
            f"task {task.name}: {problem}; synthetic cases need one label for each of {', '.join(_REQUIRED)}; train on "
            "real cases alone"
        )


def task_labels(tissue: NDArray[np.uint8], task: Task) -> NDArray[np.uint8]:
    """Return the mask of a tumour in the labels of a task.

    Args:
        tissue: values of `Tissue`, of any shape.
        task: a task that `require_simulated` accepts.

    Returns:
        Labels of the task, of the shape of `tissue`.
    """
    values = np.zeros(max(Tissue) + 1, np.uint8)
    for part, meaning in MEANINGS.items():
        values[part] = task.label_of(meaning) or 0
    labels: NDArray[np.uint8] = values[tissue]
    return labels
