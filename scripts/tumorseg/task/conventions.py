"""Label conventions of masks on disk, and conversion to and from canonical labels."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.formatting import format_list
from tumorseg.task import Task

_UNKNOWN_VALUE: Final = 255


def matching_conventions(values: Iterable[int], task: Task) -> list[str]:
    """Return the conventions of a task that define all values of a mask on disk."""
    present = set(values)
    return [name for name in task.conventions if present <= set(task.labels_by_value(name))]


def is_ambiguous(values: Iterable[int], task: Task) -> bool:
    """Return whether conventions of the task give different meanings to the values of a mask on disk."""
    present = sorted(set(values))
    meanings = [task.labels_by_value(name) for name in matching_conventions(present, task)]
    return any(meaning[value] != meanings[0][value] for meaning in meanings[1:] for value in present)


def detect_convention(values: Iterable[int], task: Task, setting: str = "auto") -> str | None:
    """Return the convention of a mask; None if its values fit all conventions of the task equally.

    Args:
        values: values of the mask on disk, with or without background.
        task: defines the conventions. With a label map, the only convention is `LABEL_MAP_CONVENTION`.
        setting: value of `cohort.labels`. It decides if several conventions give different meanings to the values.

    Raises:
        ValueError: no convention defines all values, or several give them different meanings and `setting` names none
            of these.
    """
    present = set(values)
    names = matching_conventions(present, task)
    if not names:
        raise ValueError(f"{task.name}: no convention has the values {sorted(present)}")
    if is_ambiguous(present, task):
        if setting not in names:
            raise ValueError(f"{task.name}: the values {sorted(present)} fit {', '.join(names)}")
        return setting
    return None if len(names) == len(task.conventions) > 1 else names[0]


def to_canonical(mask: NDArray[np.uint8], task: Task, convention: str | None) -> NDArray[np.uint8]:
    """Return the canonical labels of a mask on disk.

    Args:
        mask: values on disk, uint8, any shape.
        task: defines the conventions.
        convention: convention of the mask, see `detect_convention`. None: the mask fits all conventions.

    Returns:
        A copy of the same shape.

    Raises:
        ValueError: the mask has a value that the convention does not define.
    """
    table = np.full(256, _UNKNOWN_VALUE, np.uint8)
    for value, label in task.labels_by_value(convention or next(iter(task.conventions))).items():
        table[value] = label
    labels = table[mask]
    if labels.max(initial=0) == _UNKNOWN_VALUE:
        raise ValueError(f"{task.name}: the value {mask[labels == _UNKNOWN_VALUE].max()} is not one of {convention}")
    return labels


def from_canonical(mask: NDArray[np.uint8], task: Task, convention: str | None) -> NDArray[np.uint8]:
    """Return the values on disk of a mask of canonical labels.

    Args:
        mask: canonical labels, uint8, any shape.
        task: defines the conventions.
        convention: convention to write, see `Task.values_by_label`; None for the first one.

    Returns:
        A copy of the same shape.
    """
    table = np.arange(256, dtype=np.uint8)
    for label, value in task.values_by_label(convention).items():
        table[label] = value
    return table[mask]


def label_values_on_disk(task: Task, case_convention: str | None, cohort_convention: str | None) -> dict[int, int]:
    """Return the value on disk of each label in the masks that networks make, background included.

    Args:
        task: defines the conventions. Its last one is used if neither argument below names one.
        case_convention: convention of the case's own mask; None if it has no mask or the mask does not show it.
        cohort_convention: convention of the cohort, used if the case's own is unknown.
    """
    known = list(task.conventions)
    return task.values_by_label(
        next((name for name in (case_convention, cohort_convention) if name in known), known[-1])
    )


def map_values(mask: NDArray[np.uint8], values: Mapping[int, int]) -> NDArray[np.uint8]:
    """Return a copy of a mask with each value replaced by its new value, or by 0 if it has none.

    Args:
        mask: values, uint8, any shape.
        values: new value of each value.
    """
    table = np.zeros(256, np.uint8)
    table[list(values)] = list(values.values())
    mapped: NDArray[np.uint8] = table[mask]
    return mapped


def labels_written_differently(task: Task) -> list[int]:
    """Return the labels that the conventions of a task write as different values."""
    return [
        label
        for label in task.label_values
        if len({written.get(label, label) for written in task.conventions.values()}) > 1
    ]


def describe_convention(task: Task, convention: str) -> str:
    """Return a convention with the labels that distinguish it, such as `brats2023 (enhancing tumour as 3)`.

    Args:
        task: a task with several conventions.
        convention: name of the convention; empty if no mask shows it.
    """
    labels = labels_written_differently(task)
    if not convention:
        return f"none (no {' or '.join(task.label_titles[label] for label in labels)})"
    written = task.conventions[convention]
    values = [f"{task.label_titles[label]} as {written.get(label, label)}" for label in labels]
    return f"{convention} ({format_list(values)})"


def describe_label_map(task: Task) -> str:
    """Return the label map in words, such as `1 as 2 (oedema), 2 as 1 (necrosis)`; empty without a label map."""
    return ", ".join(
        f"{value} as {label} ({task.label_titles[label]})" if label else f"{value} as background"
        for value, label in (task.label_map or {}).items()
    )
