"""How pages name a task: its channels, its labels, and how masks write them."""

from tumorseg.counts import listed
from tumorseg.task import Task


def differing_labels(task: Task) -> list[int]:
    """The labels that the task's conventions write in different ways; none where it has one convention only."""
    return [
        label
        for label in task.label_values
        if len({written.get(label, label) for written in task.conventions.values()}) > 1
    ]


def convention_words(task: Task, convention: str) -> str:
    """A convention with what sets it apart: `brats2023 (enhancing tumour as 3)`; empty: that of no mask.

    Only for a task of several conventions.
    """
    labels = differing_labels(task)
    if not convention:
        return f"none (no {' or '.join(task.label_titles[label] for label in labels)})"
    written = task.conventions[convention]
    return (
        f"{convention} ({listed([f'{task.label_titles[label]} as {written.get(label, label)}' for label in labels])})"
    )


def label_map_words(task: Task) -> str:
    """What each value of masks is read as: `1 as 2 (oedema), 2 as 1 (necrosis)`; empty without a label map."""
    return ", ".join(
        f"{value} as {label} ({task.label_titles[label]})" if label else f"{value} as background"
        for value, label in (task.label_map or {}).items()
    )
