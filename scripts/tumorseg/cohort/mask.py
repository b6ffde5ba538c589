"""Checks on the mask of a case: its labels, its grid, and its place in the brain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tumorseg.cohort.other_task import other_readings
from tumorseg.cohort.pieces import pieces
from tumorseg.cohort.verdict import Finding
from tumorseg.conventions import fitting, is_ambiguous, to_canonical
from tumorseg.errors import Message
from tumorseg.task import MAPPED, Task, known_tasks

_EXAMPLES: Final = 5
_LARGEST: Final = 255
LABEL_TOLERANCE: Final = 0.02
"""Values that lie no further from a whole number are that number: scale factors in headers leave 1.0039 or 0.9999."""
_FLOAT_ERROR: Final = 1e-6  # 1.02 - 1 is more than 0.02 in real numbers of 64 bits


@dataclass(frozen=True, eq=False)
class Labels:
    """The voxels of a mask that are not 0.

    where: their flat positions (int32, in the order of memory, Fortran), all of them. written: their values (uint8),
    none where some are no whole numbers. counts: voxels of each value that occurs, and of 0. not_finite, others: voxels
    that are no number, or further than `LABEL_TOLERANCE` from each of 0 to 255. examples: a few of those other values.
    rounded: a few of the values that were rounded.
    """

    where: NDArray[np.int32]
    written: NDArray[np.uint8]
    counts: dict[int, int]
    not_finite: int
    others: int
    examples: list[float]
    rounded: list[float]


def read_labels(mask: NDArray[Any]) -> Labels:
    """Find the voxels of a mask, piece by piece: whatever it holds, that takes little more memory than `where`."""
    voxels = mask.reshape(-1, order="F")
    where, written = [np.empty(0, np.int32)], [np.empty(0, np.uint8)]
    counts = np.zeros(_LARGEST + 1, np.int64)
    not_finite = others = 0
    examples: set[float] = set()
    rounded: set[float] = set()
    for part in pieces(voxels.size):
        piece = voxels[part]
        found = np.flatnonzero(piece != 0)
        if found.size == 0:
            continue
        values = piece[found]
        labels = _as_labels(values)
        if labels is None:
            near, labels = _nearest_labels(values)
            finite = np.isfinite(values)
            not_finite += values.size - int(np.count_nonzero(finite))
            others += int(np.count_nonzero(finite & ~near))
            examples |= set(np.unique(values[finite & ~near])[:_EXAMPLES].tolist())
            rounded |= set(np.unique(values[near & (labels != values)])[:_EXAMPLES].tolist())
            marked = ~near | (labels != 0)
            found, labels = found[marked], labels[marked]
        where.append(found.astype(np.int32) + np.int32(part.start))
        written.append(labels)
        counts += np.bincount(labels, minlength=_LARGEST + 1)
    positions = np.concatenate(where)
    counts[0] = voxels.size - positions.size
    sound = not (not_finite or others)
    return Labels(
        positions,
        np.concatenate(written if sound else written[:1]),
        {value: count for value, count in enumerate(counts.tolist()) if count or value == 0},
        not_finite,
        others,
        sorted(examples)[:_EXAMPLES],
        sorted(rounded)[:_EXAMPLES],
    )


def _as_labels(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Whole values (at least one) from 1 to 255 as uint8; None where there are others."""
    if not (values.min() >= 1 and values.max() <= _LARGEST):  # false for what is no number, too
        return None
    labels = values.astype(np.uint8)
    return labels if np.array_equal(labels, values) else None


def _nearest_labels(values: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which values lie within `LABEL_TOLERANCE` of 0 to 255, and those whole numbers; 0 for the other values."""
    exact = values.astype(np.float64)
    whole = np.rint(exact)
    with np.errstate(invalid="ignore"):  # infinite values
        near = (np.abs(exact - whole) <= LABEL_TOLERANCE + _FLOAT_ERROR) & (whole >= 0) & (whole <= _LARGEST)
    return near, np.where(near, whole, 0).astype(np.uint8)


def canonical(found: Labels, task: Task, convention: str | None) -> Labels:
    """The voxels that have a label of the task, `written` and counted as labels. The values must fit `convention`.

    Voxels of values that mean background, as a label map may say, are left out.
    """
    labels = to_canonical(found.written, task, convention)
    where, counts = found.where, np.bincount(labels, minlength=1)
    if counts[0]:
        marked = labels != 0
        where, labels = where[marked], labels[marked]
    counts[0] += found.counts[0]
    shown = {label: count for label, count in enumerate(counts.tolist()) if count or label == 0}
    return replace(found, where=where, written=labels, counts=shown)


def allowed_text(task: Task) -> Message:
    """The values that masks of a task may have, in words."""
    if task.label_map is not None:
        return f"the label map has ({_listed(task.values(MAPPED))})"
    by_convention = {name: set(task.values(name)) for name in task.conventions}
    common = set.intersection(*by_convention.values())
    if all(values == common for values in by_convention.values()):
        return f"the task {task.name} has ({_listed(common)})"
    own = (f"{_listed(values - common)} ({name})" for name, values in by_convention.items())
    return f"{_listed(common)} and either {' or '.join(own)}"


def label_problem(
    found: Labels, file: str, task: Task, setting: str, map_key: str = "cohort.label_map"
) -> Finding | None:
    """`not_finite` or `bad_label` where a mask has other values than those of one convention of the task.

    setting: `cohort.labels`; other than `auto` and `mixed`, it names the only convention allowed. map_key: the setting
    that gives the meaning of values.
    """
    if found.not_finite:
        message = f"{found.not_finite} voxels of the mask are not a number or infinite; export the mask anew"
        return Finding("not_finite", file, message)
    values = set(found.counts)
    known = {value for name in task.conventions for value in task.values(name)}
    if unknown := sorted(values - known):
        wrong = found.others + sum(found.counts[value] for value in unknown)
        examples = ", ".join(f"{value:g}" for value in sorted([*found.examples, *unknown])[:_EXAMPLES])
        message = f"{wrong} voxels of the mask have other values ({examples}) than {allowed_text(task)}"
    elif found.others:
        examples = ", ".join(f"{value:g}" for value in found.examples)
        message = f"{found.others} voxels of the mask have other values ({examples}) than {allowed_text(task)}"
        return Finding("bad_label", file, f"{message}; correct it")
    elif not (names := fitting(values, task)):
        apart = [
            str(value) for value in sorted(values) if any(value not in task.values(way) for way in task.conventions)
        ]
        message = f"the mask has both {' and '.join(apart)}, where a mask has {allowed_text(task)}"
    elif setting in task.conventions and setting not in names:
        message = f"labels are written as in {names[0]}, while cohort.labels is {setting}"
        rest = f", or set cohort.task: {' or '.join(rivals)}" if (rivals := other_readings(task, values)) else ""
        return Finding("bad_label", file, f"{message}; convert the mask, or change the setting{rest}")
    elif is_ambiguous(values, task) and setting not in names:
        message = f"the values of the mask ({_listed(values)}) mean one thing in {' and another in '.join(names)}"
        return Finding("bad_label", file, f"{message}; set cohort.labels to one of them")
    else:
        return None
    if task.label_map is not None:
        return Finding("bad_label", file, f"{message}; say in {map_key} what these mean too, or correct the mask")
    if not found.others and (others := [other.name for other in known_tasks() if fitting(values, other)]):
        message += f"; the tasks with these values are {', '.join(others)}: set cohort.task"
        return Finding("bad_label", file, f"{message}, or say in {map_key} what each value means, or correct the mask")
    return Finding("bad_label", file, f"{message}; correct it, or say in {map_key} what each value means")


def _listed(values: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(values)))


def rounding_note(found: Labels) -> Message | None:
    """What was rounded in a mask with sound labels; None where nothing was."""
    if not found.rounded:
        return None
    examples = ", ".join(f"{value:.8g}" for value in found.rounded)
    return f"values of the mask ({examples}) were rounded to the nearest label; all lie within {LABEL_TOLERANCE} of one"


def label_warnings(labels: Labels, file: str, task: Task) -> list[Finding]:
    """`rounded_labels` and, in a mask that is not empty, `no_enhancing_tumour`. labels: canonical ones."""
    warnings = []
    if note := rounding_note(labels):
        warnings.append(Finding("rounded_labels", file, note))
    enhancing = task.label_of("enhancing")
    if labels.where.size and enhancing is not None and enhancing not in labels.counts:
        warnings.append(Finding("no_enhancing_tumour", file, "the mask shows no enhancing tumour; that may be right"))
    return warnings


def place_findings(shown: NDArray[np.bool_], file: str, empty_masks: str) -> tuple[list[Finding], list[Finding]]:
    """Problems (`mask_mismatch`: no tumour voxel touches the brain, or there is none) and warnings.

    Warnings: `tumour_outside_brain` where part of the tumour does not touch it, `empty_mask` where there is none.

    shown: whether any image is not 0 there, for each voxel of the tumour. empty_masks: `drop` or `keep`, as
    `cohort.empty_masks` says.
    """
    outside = shown.size - int(np.count_nonzero(shown))
    if shown.size == 0 and empty_masks == "keep":
        return [], [Finding("empty_mask", file, "the mask is empty: it marks no tumour; cohort.empty_masks keeps it")]
    if shown.size == 0:
        message = (
            "the mask is empty: it marks no tumour; put the expert's mask in its place, or, if the patient has no "
            "tumour, set cohort.empty_masks: keep"
        )
    elif outside == shown.size:
        message = f"none of the {shown.size} tumour voxels touches the brain; is it the mask of another case?"
    elif outside:
        message = f"{outside} of {shown.size} tumour voxels lie outside the brain; have a look at the mask"
        return [], [Finding("tumour_outside_brain", file, message)]
    else:
        return [], []
    return [Finding("mask_mismatch", file, message)], []


def mask_facts(labels: Labels, values: Mapping[int, int], task: Task, convention: str | None) -> dict[str, Any]:
    """Facts (see `Verdict`) of a mask without problems. labels: canonical ones. values: voxels of each on disk."""
    return {
        "labels": {str(value): count for value, count in sorted(values.items())},
        "convention": convention,
        **{f"label_{label}": labels.counts.get(label, 0) for label in task.label_values},
        "tumour_crc32": isal_zlib.crc32(labels.written, isal_zlib.crc32(labels.where.astype("<i4", copy=False))),
    }
