"""Conventions in which masks write labels on disk, and conversion to and from canonical labels."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.formatting import format_list
from tumorseg.task import Task

_UNKNOWN_VALUE: Final = 255


def matching_conventions(values: Iterable[int], task: Task) -> list[str]:
    """The conventions of a task in which all these values mean something. values: those of a mask on disk."""
    found = set(values)
    return [name for name in task.conventions if found <= set(task.values(name))]


def is_ambiguous(values: Iterable[int], task: Task) -> bool:
    """Whether conventions of the task read these values of a mask on disk differently."""
    found = sorted(set(values))
    readings = [task.values(name) for name in matching_conventions(found, task)]
    return any(reading[value] != readings[0][value] for reading in readings[1:] for value in found)


def detect_convention(values: Iterable[int], task: Task, setting: str = "auto") -> str | None:
    """The convention of a mask. None if it has no value that tells the conventions of the task apart.

    Args:
        values: those of the mask on disk, background included or not.
        task: what the values may mean. With a label map, its only convention has the name `task.MAPPED`.
        setting: `cohort.labels`. The name of a convention decides where several read the values differently.

    Raises:
        ValueError: no convention knows all values, or several read them differently and `setting` names none.
    """
    found = set(values)
    names = matching_conventions(found, task)
    if not names:
        raise ValueError(f"{task.name}: no convention has the values {sorted(found)}")
    if is_ambiguous(found, task):
        if setting not in names:
            raise ValueError(f"{task.name}: the values {sorted(found)} fit {', '.join(names)}")
        return setting
    return None if len(names) == len(task.conventions) > 1 else names[0]


def to_canonical(mask: NDArray[np.uint8], task: Task, convention: str | None) -> NDArray[np.uint8]:
    """The labels of the task for each voxel of a mask on disk.

    Args:
        mask: values on disk, any shape.
        task: what they mean.
        convention: how the mask writes labels, see `convention_of`; None for a mask that fits all conventions.

    Returns:
        A copy of the same shape.

    Raises:
        ValueError: the mask has a value that the convention does not know.
    """
    table = np.full(256, _UNKNOWN_VALUE, np.uint8)
    for value, label in task.values(convention or next(iter(task.conventions))).items():
        table[value] = label
    labels = table[mask]
    if labels.max(initial=0) == _UNKNOWN_VALUE:
        raise ValueError(f"{task.name}: the value {mask[labels == _UNKNOWN_VALUE].max()} is not one of {convention}")
    return labels


def from_canonical(mask: NDArray[np.uint8], task: Task, convention: str | None) -> NDArray[np.uint8]:
    """A mask of labels of the task (any shape, a copy) as `convention` writes it on disk, see `Task.written`."""
    table = np.arange(256, dtype=np.uint8)
    for label, value in task.written(convention).items():
        table[label] = value
    return table[mask]


def labels_written_differently(task: Task) -> list[int]:
    """The labels that the task's conventions write in different ways; none where it has one convention only."""
    return [
        label
        for label in task.label_values
        if len({written.get(label, label) for written in task.conventions.values()}) > 1
    ]


def describe_convention(task: Task, convention: str) -> str:
    """A convention with what sets it apart: `brats2023 (enhancing tumour as 3)`; empty: that of no mask.

    Only for a task of several conventions.
    """
    labels = labels_written_differently(task)
    if not convention:
        return f"none (no {' or '.join(task.label_titles[label] for label in labels)})"
    written = task.conventions[convention]
    return f"{convention} ({format_list([f'{task.label_titles[label]} as {written.get(label, label)}' for label in labels])})"


def describe_label_map(task: Task) -> str:
    """What each value of masks is read as: `1 as 2 (oedema), 2 as 1 (necrosis)`; empty without a label map."""
    return ", ".join(
        f"{value} as {label} ({task.label_titles[label]})" if label else f"{value} as background"
        for value, label in (task.label_map or {}).items()
    )
