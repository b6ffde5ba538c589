"""Check the mask of a case: its labels, their order from core to oedema, and the position of the tumour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tumorseg.cohort.other_task import tasks_with_other_meaning
from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.io.volume_limits import chunks
from tumorseg.task import LABEL_MAP_CONVENTION, Task, load_built_in_tasks
from tumorseg.task.conventions import is_ambiguous, matching_conventions, to_canonical

_MAX_EXAMPLES: Final = 5
_MAX_LABEL: Final = 255
LABEL_TOLERANCE: Final = 0.02
"""Values this close to a whole number are rounded to it: scale factors in headers give 1.0039 or 0.9999."""
_FLOAT_ERROR: Final = 1e-6  # 1.02 - 1 is more than 0.02 in float64


@dataclass(frozen=True, eq=False)
class NonzeroVoxels:
    """The voxels of a mask that are not 0, with their values on disk or their canonical labels.

    Attributes:
        where: flat indices of these voxels, in Fortran order.
        values: their values; empty if any value is invalid (see `all_valid`).
        counts: number of voxels of each value that occurs, and of 0.
        not_finite: number of voxels that are NaN or infinite.
        others: number of finite voxels that are further than `LABEL_TOLERANCE` from each of 0 to 255.
        examples: a few of these other values.
        rounded: a few of the values that were rounded.
    """

    where: NDArray[np.int32]
    values: NDArray[np.uint8]
    counts: dict[int, int]
    not_finite: int
    others: int
    examples: list[float]
    rounded: list[float]

    @property
    def all_valid(self) -> bool:
        """Whether each value is within `LABEL_TOLERANCE` of a whole number from 0 to 255."""
        return not (self.not_finite or self.others)


def read_labels(mask: NDArray[Any]) -> NonzeroVoxels:
    """Find the voxels of a mask that are not 0. Reads chunk by chunk, to need little memory besides the result.

    Args:
        mask: values on disk, any shape and any real dtype.

    Returns:
        The voxels, at flat indices in Fortran order.
    """
    voxels = mask.reshape(-1, order="F")
    where, kept_values = [np.empty(0, np.int32)], [np.empty(0, np.uint8)]
    counts = np.zeros(_MAX_LABEL + 1, np.int64)
    not_finite = others = 0
    examples: set[float] = set()
    rounded: set[float] = set()
    for part in chunks(voxels.size):
        chunk = voxels[part]
        found = np.flatnonzero(chunk != 0)
        if found.size == 0:
            continue
        values = chunk[found]
        labels = _exact_labels(values)
        if labels is None:
            near, labels = _nearest_labels(values)
            finite = np.isfinite(values)
            not_finite += values.size - int(np.count_nonzero(finite))
            others += int(np.count_nonzero(finite & ~near))
            examples |= set(np.unique(values[finite & ~near])[:_MAX_EXAMPLES].tolist())
            rounded |= set(np.unique(values[near & (labels != values)])[:_MAX_EXAMPLES].tolist())
            marked = ~near | (labels != 0)
            found, labels = found[marked], labels[marked]
        where.append(found.astype(np.int32) + np.int32(part.start))
        kept_values.append(labels)
        counts += np.bincount(labels, minlength=_MAX_LABEL + 1)
    positions = np.concatenate(where)
    counts[0] = voxels.size - positions.size
    all_valid = not (not_finite or others)
    return NonzeroVoxels(
        positions,
        np.concatenate(kept_values if all_valid else kept_values[:1]),
        {value: count for value, count in enumerate(counts.tolist()) if count or value == 0},
        not_finite,
        others,
        sorted(examples)[:_MAX_EXAMPLES],
        sorted(rounded)[:_MAX_EXAMPLES],
    )


def _exact_labels(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return values (at least one) as uint8 if all are whole numbers from 1 to 255; else None."""
    if not (values.min() >= 1 and values.max() <= _MAX_LABEL):  # NaN fails this comparison, too
        return None
    labels = values.astype(np.uint8)
    return labels if np.array_equal(labels, values) else None


def _nearest_labels(values: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Return which values are within `LABEL_TOLERANCE` of 0 to 255, and the nearest of these; 0 for other values."""
    exact = values.astype(np.float64)
    whole = np.rint(exact)
    with np.errstate(invalid="ignore"):  # infinite values
        near = (np.abs(exact - whole) <= LABEL_TOLERANCE + _FLOAT_ERROR) & (whole >= 0) & (whole <= _MAX_LABEL)
    return near, np.where(near, whole, 0).astype(np.uint8)


def canonical_labels(found: NonzeroVoxels, task: Task, convention: str | None) -> NonzeroVoxels:
    """Convert the values of a mask to the labels of the task.

    Args:
        found: voxels whose values fit the convention.
        task: task of the mask.
        convention: one of the task's conventions, or None if they agree on these values.

    Returns:
        The voxels with their labels. Values that a label map defines as background are removed.
    """
    labels = to_canonical(found.values, task, convention)
    where, counts = found.where, np.bincount(labels, minlength=1)
    if counts[0]:
        marked = labels != 0
        where, labels = where[marked], labels[marked]
    counts[0] += found.counts[0]
    present = {label: count for label, count in enumerate(counts.tolist()) if count or label == 0}
    return replace(found, where=where, values=labels, counts=present)


def format_allowed_values(task: Task) -> Message:
    """Return the values that masks of a task may have, as the end of a sentence."""
    if task.label_map is not None:
        return f"the label map has ({_join_values(task.labels_by_value(LABEL_MAP_CONVENTION))})"
    by_convention = {name: set(task.labels_by_value(name)) for name in task.conventions}
    common = set.intersection(*by_convention.values())
    if all(values == common for values in by_convention.values()):
        return f"the task {task.name} has ({_join_values(common)})"
    own = (f"{_join_values(values - common)} ({name})" for name, values in by_convention.items())
    return f"{_join_values(common)} and either {' or '.join(own)}"


def label_problem(
    found: NonzeroVoxels, file: str, task: Task, labels_setting: str, map_key: str = "cohort.label_map"
) -> Issue | None:
    """Check that the values of a mask fit one convention of the task.

    Args:
        found: voxels of the mask.
        file: path of the mask, for the issue.
        task: task of the mask.
        labels_setting: `cohort.labels`: `auto`, `mixed`, or the only convention allowed.
        map_key: configuration key of the label map, for the message.

    Returns:
        `not_finite` or `bad_label`; None if the values are valid.
    """
    if found.not_finite:
        message = f"{found.not_finite} voxels of the mask are NaN or infinite; export the mask again"
        return Issue("not_finite", file, message)
    values = set(found.counts)
    known = {value for name in task.conventions for value in task.labels_by_value(name)}
    if unknown := sorted(values - known):
        wrong = found.others + sum(found.counts[value] for value in unknown)
        examples = ", ".join(f"{value:g}" for value in sorted([*found.examples, *unknown])[:_MAX_EXAMPLES])
        message = f"{wrong} voxels of the mask have other values ({examples}) than {format_allowed_values(task)}"
    elif found.others:
        examples = ", ".join(f"{value:g}" for value in found.examples)
        message = f"{found.others} voxels of the mask have other values ({examples}) than {format_allowed_values(task)}"
        return Issue("bad_label", file, f"{message}; correct it")
    elif not (names := matching_conventions(values, task)):
        conflicting = [
            str(value)
            for value in sorted(values)
            if any(value not in task.labels_by_value(convention) for convention in task.conventions)
        ]
        message = f"the mask has both {' and '.join(conflicting)}, but a mask has {format_allowed_values(task)}"
    elif labels_setting in task.conventions and labels_setting not in names:
        message = f"labels are written as in {names[0]}, but cohort.labels is {labels_setting}"
        rest = (
            f", or set cohort.task: {' or '.join(rivals)}" if (rivals := tasks_with_other_meaning(task, values)) else ""
        )
        return Issue("bad_label", file, f"{message}; convert the mask, or change the setting{rest}")
    elif is_ambiguous(values, task) and labels_setting not in names:
        message = f"the values of the mask ({_join_values(values)}) mean one thing in {' and another in '.join(names)}"
        return Issue("bad_label", file, f"{message}; set cohort.labels to one of them")
    else:
        return None
    if task.label_map is not None:
        return Issue("bad_label", file, f"{message}; add these values to {map_key}, or correct the mask")
    if not found.others and (
        others := [other.name for other in load_built_in_tasks() if matching_conventions(values, other)]
    ):
        message += f"; the tasks with these values are {', '.join(others)}: set cohort.task"
        return Issue(
            "bad_label", file, f"{message}, or define the meaning of each mask value in {map_key}, or correct the mask"
        )
    return Issue(
        "bad_label", file, f"{message}; correct the mask, or define the meaning of each mask value in {map_key}"
    )


def _join_values(values: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(values)))


def rounding_message(found: NonzeroVoxels) -> Message | None:
    """Return a message about rounded values of a mask with valid labels; None if no value was rounded."""
    if not found.rounded:
        return None
    examples = ", ".join(f"{value:.8g}" for value in found.rounded)
    return f"values of the mask ({examples}) were rounded to the nearest label, which is at most {LABEL_TOLERANCE} away"


def label_warnings(labels: NonzeroVoxels, file: str, task: Task) -> list[Issue]:
    """Return the warnings `rounded_labels` and `no_enhancing_tumour` of a mask.

    Args:
        labels: voxels with canonical labels.
        file: path of the mask, for the issues.
        task: task of the mask.

    Returns:
        The warnings. An empty mask gets no `no_enhancing_tumour`.
    """
    warnings = []
    if note := rounding_message(labels):
        warnings.append(Issue("rounded_labels", file, note))
    enhancing = task.label_of("enhancing")
    if labels.where.size and enhancing is not None and enhancing not in labels.counts:
        warnings.append(Issue("no_enhancing_tumour", file, "the mask has no enhancing tumour; this may be correct"))
    return warnings


def tumour_position_issues(in_brain: NDArray[np.bool_], file: str, empty_masks: str) -> tuple[list[Issue], list[Issue]]:
    """Check that the tumour lies in the brain.

    Args:
        in_brain: for each tumour voxel (N,), bool, whether any image has foreground there.
        file: path of the mask, for the issue.
        empty_masks: `cohort.empty_masks`: `drop` or `keep`.

    Returns:
        Problems and warnings. The problem is `mask_mismatch` if all tumour voxels lie outside the brain, or if the
        mask is empty and the setting is `drop`. The warning is `tumour_outside_brain` if some lie outside, and
        `empty_mask` if the mask is empty and the setting is `keep`.
    """
    outside = in_brain.size - int(np.count_nonzero(in_brain))
    if in_brain.size == 0 and empty_masks == "keep":
        return [], [Issue("empty_mask", file, "the mask is empty: it marks no tumour; cohort.empty_masks keeps it")]
    if in_brain.size == 0:
        message = (
            "the mask is empty: it marks no tumour; replace it with the reference mask, or, if the patient has no "
            "tumour, set cohort.empty_masks: keep"
        )
    elif outside == in_brain.size:
        message = f"all {in_brain.size} tumour voxels lie outside the brain; check that this is the mask of the case"
    elif outside:
        message = f"{outside} of {in_brain.size} tumour voxels lie outside the brain; check the mask"
        return [], [Issue("tumour_outside_brain", file, message)]
    else:
        return [], []
    return [Issue("mask_mismatch", file, message)], []


def mask_facts(labels: NonzeroVoxels, values: Mapping[int, int], task: Task, convention: str | None) -> dict[str, Any]:
    """Return the facts about a valid mask, see `ValidationResult`.

    Args:
        labels: voxels with canonical labels.
        values: number of voxels of each value on disk.
        task: task of the mask.
        convention: convention of the mask, None if unknown.

    Returns:
        `labels`, `convention`, one count per label, and `tumour_crc32`.
    """
    return {
        "labels": {str(value): count for value, count in sorted(values.items())},
        "convention": convention,
        **{f"label_{label}": labels.counts.get(label, 0) for label in task.label_values},
        "tumour_crc32": isal_zlib.crc32(labels.values, isal_zlib.crc32(labels.where.astype("<i4", copy=False))),
    }


_SAMPLED_SLICES: Final = 16
"""Approximate number of slices of a mask to sample."""
_MIN_LABEL_VOXELS: Final = 100
"""Minimum number of voxels of each label."""
_MIN_SURFACE_DIFFERENCE: Final = 0.1
"""The labels are exchanged if more of the core's surface touches background than of oedema's, by this fraction.

In 29 cases of BraTS 2021 the core's fraction is always smaller, by 0.06 to 0.94.
"""


def label_order_warnings(labels: NonzeroVoxels, shape: tuple[int, ...], file: str, task: Task) -> list[Issue]:
    """Warn if oedema lies inside the core.

    Args:
        labels: voxels with canonical labels.
        shape: shape of the mask (X, Y, Z).
        file: path of the mask, for the issue.
        task: task of the mask.

    Returns:
        `labels_exchanged`, or nothing.
    """
    core, oedema = task.label_of("necrosis"), task.label_of("oedema")
    if (
        core is None
        or oedema is None
        or min(labels.counts.get(label, 0) for label in (core, oedema)) < _MIN_LABEL_VOXELS
    ):
        return []
    slices = _sample_slices(labels, shape)
    if _outer_surface_fraction(slices, core) <= _outer_surface_fraction(slices, oedema) + _MIN_SURFACE_DIFFERENCE:
        return []
    titles = task.label_titles
    message = (
        f"the label {titles[oedema]} ({oedema}) lies inside the label {titles[core]} ({core}): the two seem to be "
        "exchanged; check the mask, then convert it, or set cohort.label_map"
    )
    return [Issue("labels_exchanged", file, message)]


def _sample_slices(labels: NonzeroVoxels, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return sampled slices along the last axis, cropped to the labels, with a border of background (x, y, slices)."""
    x, y, z = np.unravel_index(labels.where, shape, order="F")
    step = max(1, int(np.ptp(z)) // _SAMPLED_SLICES)
    kept = (z - z.min()) % step == 0
    x, y, z = (axis[kept] - axis.min() for axis in (x, y, z))
    slices = np.zeros((int(x.max()) + 3, int(y.max()) + 3, int(z.max()) // step + 1), np.uint8)
    slices[x + 1, y + 1, z // step] = labels.values[kept]
    return slices


def _outer_surface_fraction(slices: NDArray[np.uint8], label: int) -> float:
    """Return the fraction of a label's surface, within the slices, that touches background."""
    surface = outer = 0
    for one, other in ((slices[1:], slices[:-1]), (slices[:, 1:], slices[:, :-1])):
        for inside, outside in ((one, other), (other, one)):
            beyond = outside[inside == label]
            surface += int(np.count_nonzero(beyond != label))
            outer += int(np.count_nonzero(beyond == 0))
    return outer / max(surface, 1)
