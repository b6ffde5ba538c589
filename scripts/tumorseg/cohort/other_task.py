"""Find signs that a case belongs to another task than the configured one and would be misread."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.task import Task, load_built_in_tasks
from tumorseg.task.conventions import matching_conventions

POST_CONTRAST_CHANNEL: Final = "t1ce"
"""Name in the tasks of the contrast-enhanced T1 image, on which enhancing tumour is bright."""
MAX_SAMPLED_VOXELS: Final = 2**12
"""Most voxels sampled for each value of a mask."""
_ERROR_FACTOR: Final = 1.5
"""Fractions of n voxels differ if they are at least this / sqrt(n) apart: three standard errors of a half."""
_MIN_VOXELS: Final = 30
"""Fewest voxels of each of two labels to compare their brightness."""
_MAX_BRIGHTER_FRACTION: Final = 0.9
"""Largest fraction of another label above the median of enhancing tumour; at most 0.13 in 29 cases of BraTS 2021."""
_BRIGHT_QUANTILE: Final = 0.95
"""A label whose median exceeds this quantile of the brain is as bright as enhancing tumour."""


@dataclass(frozen=True, eq=False)
class PostContrastSample:
    """Sampled voxels of the contrast-enhanced T1 image.

    Attributes:
        brain: voxels that are not background.
        by_value: voxels of each value of the mask on disk.
    """

    brain: NDArray[Any]
    by_value: Mapping[int, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class OtherTaskSigns:
    """Signs that a case belongs to other tasks.

    Attributes:
        tasks: names of the tasks with most signs.
        reasons: the signs in words.
        only_values: whether the only sign is a mask value that the task does not know, which `bad_label` reports.
    """

    tasks: tuple[str, ...]
    reasons: tuple[str, ...]
    only_values: bool


def sample_post_contrast(
    voxels: NDArray[Any], where: NDArray[np.int32], values: NDArray[np.uint8], brain: NDArray[Any]
) -> PostContrastSample:
    """Sample the contrast-enhanced T1 image at the values of a mask.

    Args:
        voxels: voxels of the image (N,), any real dtype.
        where: positions in `voxels` that the mask marks, (M,) int32.
        values: mask values on disk at these positions, (M,) uint8.
        brain: sampled voxels of the image that are not background, (K,).

    Returns:
        `brain`, and at most about `MAX_SAMPLED_VOXELS` voxels of each value.
    """
    by_value = {}
    for value in np.flatnonzero(np.bincount(values)).tolist():
        positions = where[values == value]
        by_value[value] = voxels[positions[:: max(1, positions.size // MAX_SAMPLED_VOXELS)]]
    return PostContrastSample(brain, by_value)


def find_other_task_signs(
    task: Task,
    *,
    names: Sequence[str],
    shape: Sequence[int] | None,
    values: Iterable[int],
    contrast: PostContrastSample | None,
) -> OtherTaskSigns:
    """Compare a case with all built-in tasks.

    A task counts only if it reads a value differently from every convention of the configured task.

    Args:
        task: the configured task.
        names: names of the case and its files.
        shape: voxels along each axis of its images; None if unknown.
        values: values of its mask on disk; empty without a mask.
        contrast: sample of its contrast-enhanced T1 image; None without one.

    Returns:
        The signs; `tasks` is empty if there are none.
    """
    found = sorted(set(values) - {0})
    rivals = [other for other in load_built_in_tasks() if interprets_differently(other, task, found)]
    by_sign: dict[Message, list[Task]] = {
        f"its name is {_name_of_other_task(names, rivals, task)}": [
            other for other in rivals if _name_of_other_task(names, [other], task)
        ],
        f"its grid is {'x'.join(map(str, shape or ()))}": [
            other for other in rivals if shape and task.grids and _has_grid(other, shape) and not _has_grid(task, shape)
        ],
    }
    matching = [other for other in rivals if matching_conventions(found, other)]
    by_mask = [other for other in matching if not _contradiction_in_image(other, found, contrast)]
    if not by_mask and any(
        task.meanings_by_value(name).get(value) == "enhancing" for name in task.conventions for value in found
    ):
        by_mask = matching  # no task agrees with the image, but the value is not enhancing tumour
    if not matching_conventions(found, task):
        by_sign[f"its mask has the values {', '.join(map(str, found))}"] = by_mask
    elif reason := _contradiction_in_image(task, found, contrast):
        by_sign[reason] = by_mask
    signs = {reason: [other.name for other in others] for reason, others in by_sign.items() if others}
    votes = [name for others in signs.values() for name in others]
    most = max(map(votes.count, votes), default=0)
    likely = tuple(name for name in dict.fromkeys(votes) if votes.count(name) == most)
    return OtherTaskSigns(likely, tuple(signs), only_values=not matching_conventions(found, task) and len(signs) == 1)


def other_task_problem(signs: OtherTaskSigns, task: Task, case: str, map_key: str = "cohort.label_map") -> Issue:
    """Return the problem `other_task` of a case.

    Args:
        signs: the signs of other tasks.
        task: the configured task.
        case: name of the case.
        map_key: configuration key of the label map, for the message.
    """
    message = (
        f"this seems to be a case of another task than {task.name}: {', and '.join(signs.reasons)}; set cohort.task: "
        f"{' or '.join(signs.tasks)}, or, if you are sure, define the meaning of each mask value in {map_key}"
    )
    return Issue("other_task", case, message)


def interprets_differently(other: Task, task: Task, values: Sequence[int]) -> bool:
    """Return whether no convention of the task gives mask values the meanings that the other task gives them.

    Args:
        other: a built-in task.
        task: the configured task.
        values: values of a mask on disk, without background.
    """
    own = [task.meanings_by_value(name).items() for name in task.conventions]
    ways = [other.meanings_by_value(name).items() for name in matching_conventions(values, other) or other.conventions]
    return all(not any(way <= known for known in own) for way in ways)


def tasks_with_other_meaning(task: Task, values: Iterable[int]) -> tuple[str, ...]:
    """Return the names of the built-in tasks that know these mask values and read them differently from the task."""
    found = sorted(set(values) - {0})
    return tuple(
        other.name
        for other in load_built_in_tasks()
        if matching_conventions(found, other) and interprets_differently(other, task, found)
    )


def _name_of_other_task(names: Sequence[str], others: Sequence[Task], task: Task) -> str | None:
    """Return the first name that fits another task; None if there is none or a name fits this task."""
    if task.case_names is None or any(matches_case_names(name, task) for name in names):
        return None
    return next((name for name in names if any(matches_case_names(name, other) for other in others)), None)


def matches_case_names(name: str, task: Task) -> bool:
    """Return whether a name is, or begins with, the name of a case of the task."""
    pattern = task.case_names
    return pattern is not None and bool(re.fullmatch(rf"(?:{pattern})(?:[-_.].*)?", name, re.IGNORECASE | re.DOTALL))


def _has_grid(task: Task, shape: Sequence[int]) -> bool:
    return tuple(shape) in task.grids


def _contradiction_in_image(task: Task, values: Sequence[int], contrast: PostContrastSample | None) -> Message | None:
    """Return how the contrast-enhanced image contradicts the task's reading of a mask; None if it does not."""
    # On it, enhancing tumour is brighter than the brain and than the rest of the tumour. If nothing is marked as
    # enhancing, only a tumour without parts may be that bright.
    if contrast is None or contrast.brain.size == 0:
        return None
    reasons = [
        _label_contradiction(task.meanings_by_value(name), contrast) for name in matching_conventions(values, task)
    ]
    return None if None in reasons else next(iter(reasons), None)


def _label_contradiction(meanings: Mapping[int, str], contrast: PostContrastSample) -> Message | None:
    marked = {value: voxels for value, voxels in contrast.by_value.items() if value in meanings}
    enhancing = [value for value in marked if meanings[value] == "enhancing"]
    middle, bright = np.quantile(contrast.brain, (0.5, _BRIGHT_QUANTILE))
    for value in enhancing:
        voxels = marked[value]
        if _fraction_above(voxels, middle) < 0.5 - _ERROR_FACTOR / np.sqrt(voxels.size):
            return f"mask value {value}, enhancing tumour, is darker than the brain on {POST_CONTRAST_CHANNEL}"
        for other, rest in marked.items():
            if other in enhancing or min(voxels.size, rest.size) < _MIN_VOXELS:
                continue
            if _fraction_above(rest, np.median(voxels)) > _MAX_BRIGHTER_FRACTION:
                return f"mask value {value}, enhancing tumour, is darker on {POST_CONTRAST_CHANNEL} than value {other}"
    for value, voxels in marked.items():
        if enhancing or meanings[value] == "tumour":
            continue
        if _fraction_above(voxels, bright) > 0.5 + _ERROR_FACTOR / np.sqrt(voxels.size):
            return f"mask value {value}, {meanings[value]}, is as bright on {POST_CONTRAST_CHANNEL} as enhancing tumour"
    return None


def _fraction_above(voxels: NDArray[Any], value: float) -> float:
    """Return the fraction of voxels above a value; voxels equal to it count half."""
    return float(np.mean(voxels > value) + np.mean(voxels == value) / 2)
