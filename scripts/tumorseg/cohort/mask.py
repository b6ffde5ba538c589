"""Checks on the mask of a case: its labels, its grid, and its place in the brain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tumorseg.cohort.images import Grid, same_affine, size_text
from tumorseg.cohort.pieces import pieces
from tumorseg.cohort.verdict import Finding
from tumorseg.labels import ENHANCING, Convention

_ALLOWED: Final = "0, 1, 2 and either 3 (BraTS 2023) or 4 (BraTS until 2021)"
_EXAMPLES: Final = 5


@dataclass(frozen=True, eq=False)
class Labels:
    """The voxels of a mask that are not 0.

    where: their flat positions (int32, in the order of memory, Fortran), all of them. written: their values (uint8),
    none where some are not labels. counts: voxels of label 0 to 4. not_finite, others: voxels that are no number, or
    none of 0 to 4. examples: a few of those other values.
    """

    where: NDArray[np.int32]
    written: NDArray[np.uint8]
    counts: list[int]
    not_finite: int
    others: int
    examples: list[float]


def read_labels(mask: NDArray[Any]) -> Labels:
    """Find the voxels of a mask, piece by piece: whatever it holds, that takes little more memory than `where`."""
    voxels = mask.reshape(-1, order="F")
    where, written = [np.empty(0, np.int32)], [np.empty(0, np.uint8)]
    counts = np.zeros(5, np.int64)
    not_finite = others = 0
    examples: set[float] = set()
    for part in pieces(voxels.size):
        piece = voxels[part]
        found = np.flatnonzero(piece != 0)
        if found.size == 0:
            continue
        where.append(found.astype(np.int32) + np.int32(part.start))
        values = piece[found]
        labels = _as_labels(values)
        if labels is None:
            finite = values[np.isfinite(values)]
            other = finite[~np.isin(finite, np.arange(5))]
            not_finite += values.size - finite.size
            others += other.size
            examples |= set(np.unique(other)[:_EXAMPLES].tolist())
        else:
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
    )


def _as_labels(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Values (at least one) from 1 to 4 as uint8; None where there are others."""
    if not (values.min() >= 1 and values.max() <= 4):  # false for what is no number, too
        return None
    labels = values.astype(np.uint8)
    return labels if np.array_equal(labels, values) else None


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


def grid_problem(mask: Grid, images: Grid, file: str) -> Finding | None:
    """`mask_mismatch` where the grid of the mask is not that of the images (shape and affine)."""
    if mask.shape != images.shape:
        message = f"the mask is {size_text(mask.shape)}, the images are {size_text(images.shape)}"
    elif not same_affine(mask.affine, images.affine):
        far = float(np.abs(mask.affine - images.affine).max())
        message = f"the affine of the mask differs from the images' by up to {far:.3g}"
    else:
        return None
    return Finding("mask_mismatch", file, f"{message}; resample it to their grid, or replace it")


def place_findings(shown: NDArray[np.bool_], file: str) -> tuple[list[Finding], list[Finding]]:
    """Problems (`mask_mismatch`: no tumour voxel touches the brain) and warnings (`tumour_outside_brain`: some do not).

    shown: whether any image is not 0 there, for each voxel of the tumour.
    """
    outside = shown.size - int(np.count_nonzero(shown))
    if shown.size == 0:
        message = "the mask is empty: it marks no tumour at all; put the expert's mask in its place"
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
