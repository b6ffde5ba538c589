"""Checks on the mask of a case: its labels, its grid, and its place in the brain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tumorseg.cohort.pieces import pieces
from tumorseg.cohort.verdict import Finding
from tumorseg.labels import ENHANCING, Convention

_ALLOWED: Final = "0, 1, 2 and either 3 (BraTS 2023) or 4 (BraTS until 2021)"
_EXAMPLES: Final = 5
LABEL_TOLERANCE: Final = 0.02
"""Values that lie no further from a whole label are that label: scale factors in headers leave 1.0039 or 0.9999."""
_FLOAT_ERROR: Final = 1e-6  # 1.02 - 1 is more than 0.02 in real numbers of 64 bits


@dataclass(frozen=True, eq=False)
class Labels:
    """The voxels of a mask that are not 0.

    where: their flat positions (int32, in the order of memory, Fortran), all of them. written: their values (uint8),
    none where some are not labels. counts: voxels of label 0 to 4. not_finite, others: voxels that are no number, or
    further than `LABEL_TOLERANCE` from each of 0 to 4. examples: a few of those other values. rounded: a few of the
    values that were rounded to a label.
    """

    where: NDArray[np.int32]
    written: NDArray[np.uint8]
    counts: list[int]
    not_finite: int
    others: int
    examples: list[float]
    rounded: list[float]


def read_labels(mask: NDArray[Any]) -> Labels:
    """Find the voxels of a mask, piece by piece: whatever it holds, that takes little more memory than `where`."""
    voxels = mask.reshape(-1, order="F")
    where, written = [np.empty(0, np.int32)], [np.empty(0, np.uint8)]
    counts = np.zeros(5, np.int64)
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
        counts += np.bincount(labels, minlength=5)
    positions = np.concatenate(where)
    counts[0] = voxels.size - positions.size
    sound = not (not_finite or others)
    return Labels(
        positions,
        np.concatenate(written if sound else written[:1]),
        counts.tolist(),
        not_finite,
        others,
        sorted(examples)[:_EXAMPLES],
        sorted(rounded)[:_EXAMPLES],
    )


def _as_labels(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Values (at least one) from 1 to 4 as uint8; None where there are others."""
    if not (values.min() >= 1 and values.max() <= 4):  # false for what is no number, too
        return None
    labels = values.astype(np.uint8)
    return labels if np.array_equal(labels, values) else None


def _nearest_labels(values: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which values lie within `LABEL_TOLERANCE` of a label, and those labels; 0 for the other values."""
    exact = values.astype(np.float64)
    whole = np.rint(exact)
    with np.errstate(invalid="ignore"):  # infinite values
        near = (np.abs(exact - whole) <= LABEL_TOLERANCE + _FLOAT_ERROR) & (whole >= 0) & (whole <= 4)
    return near, np.where(near, whole, 0).astype(np.uint8)


def convention_of(counts: Sequence[int]) -> Convention | None:
    """The convention of a mask with so many voxels of label 0 to 4, None where it shows no enhancing tumour."""
    return next((convention for convention, enhancing in ENHANCING.items() if counts[enhancing]), None)


def label_problem(found: Labels, file: str, setting: str) -> Finding | None:
    """`not_finite` or `bad_label` where a mask has other labels than those of one convention.

    setting: `cohort.labels`; other than `auto` and `mixed`, it names the only convention allowed.
    """
    if found.not_finite:
        message = f"{found.not_finite} voxels of the mask are not a number or infinite; export the mask anew"
        return Finding("not_finite", file, message)
    if found.others:
        examples = ", ".join(f"{value:g}" for value in found.examples)
        message = f"{found.others} voxels of the mask have other values ({examples}) than {_ALLOWED}; correct it"
        return Finding("bad_label", file, message)
    if all(found.counts[enhancing] for enhancing in ENHANCING.values()):
        return Finding("bad_label", file, f"the mask has both 3 and 4, where a mask has {_ALLOWED}; correct it")
    convention = convention_of(found.counts)
    if setting in ENHANCING and convention not in (None, setting):
        message = f"enhancing tumour is written as in {convention}, while cohort.labels is {setting}"
        return Finding("bad_label", file, f"{message}; convert the mask, or change the setting")
    return None


def rounding_note(found: Labels) -> str | None:
    """What was rounded in a mask with sound labels; None where nothing was."""
    if not found.rounded:
        return None
    examples = ", ".join(f"{value:.8g}" for value in found.rounded)
    return f"values of the mask ({examples}) were rounded to the nearest label; all lie within {LABEL_TOLERANCE} of one"


def label_warnings(found: Labels, file: str) -> list[Finding]:
    """`rounded_labels` and `no_enhancing_tumour` of a mask with sound labels that is not empty."""
    warnings = []
    if note := rounding_note(found):
        warnings.append(Finding("rounded_labels", file, note))
    if found.where.size and convention_of(found.counts) is None:
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


def mask_facts(found: Labels) -> dict[str, Any]:
    """Facts (see `Verdict`) of a mask with sound labels."""
    counts = found.counts
    inside = found.written.copy()
    inside[inside == ENHANCING["brats2023"]] = ENHANCING["brats2021"]
    return {
        "labels": {str(label): count for label, count in enumerate(counts) if count or label == 0},
        "convention": convention_of(counts),
        "label_1": counts[1],
        "label_2": counts[2],
        "label_4": counts[3] + counts[4],
        "tumour_crc32": isal_zlib.crc32(inside, isal_zlib.crc32(found.where.astype("<i4", copy=False))),
    }
