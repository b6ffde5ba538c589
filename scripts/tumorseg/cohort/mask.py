"""Checks on the mask of a case: its labels, its grid, and its place in the brain."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tumorseg.cohort.images import same_affine, size_text
from tumorseg.cohort.verdict import Finding
from tumorseg.cohort.volume import Volume
from tumorseg.labels import ENHANCING, TUMOUR_LABELS, Convention

_ALLOWED: Final = "0, 1, 2 and either 3 (BraTS 2023) or 4 (BraTS until 2021)"


def tumour_voxels(mask: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Flat positions (in the order of memory, Fortran) and values of the voxels of a mask that are not 0."""
    voxels = mask.reshape(-1, order="F")
    where = np.flatnonzero(voxels != 0)
    return where, voxels[where]


def convention_of(values: NDArray[Any]) -> Convention | None:
    """The convention that the labels of a mask follow, None where they show no enhancing tumour."""
    return next((convention for convention, enhancing in ENHANCING.items() if enhancing in values), None)


def label_problem(written: NDArray[Any], file: str, labels: str) -> Finding | None:
    """`not_finite` or `bad_label` where a mask has other labels than those of one convention.

    written: the values of the voxels that are not 0. labels: the setting `cohort.labels`; other than `auto` and
    `mixed`, it names the only convention allowed.
    """
    values, counts = np.unique(written, return_counts=True)
    finite = np.isfinite(values)
    if not finite.all():
        message = f"{counts[~finite].sum()} voxels of the mask are not a number or infinite; export the mask anew"
        return Finding("not_finite", file, message)
    wrong = ~np.isin(values, (*TUMOUR_LABELS, *ENHANCING.values()))
    if wrong.any():
        found = ", ".join(f"{value:g}" for value in values[wrong][:5])
        message = f"{counts[wrong].sum()} voxels of the mask have other values ({found}) than {_ALLOWED}; correct it"
        return Finding("bad_label", file, message)
    if np.isin(list(ENHANCING.values()), values).all():
        return Finding("bad_label", file, f"the mask has both 3 and 4, where a mask has {_ALLOWED}; correct it")
    convention = convention_of(values)
    if labels in ENHANCING and convention not in (None, labels):
        message = f"enhancing tumour is written as in {convention}, while cohort.labels is {labels}"
        return Finding("bad_label", file, f"{message}; convert the mask, or change the setting")
    return None


def grid_problem(mask: Volume, shape: Sequence[int], affine: NDArray[np.float64], file: str) -> Finding | None:
    """`mask_mismatch` where the grid of the mask is not that of the images (shape and affine)."""
    size = mask.array.shape
    if size != tuple(shape):
        message = f"the mask is {size_text(size)}, the images are {size_text(shape)}"
    elif not same_affine(mask.affine, affine):
        far = float(np.abs(mask.affine - affine).max())
        message = f"the affine of the mask differs from the images' by up to {far:.3g}"
    else:
        return None
    return Finding("mask_mismatch", file, f"{message}; resample it to their grid, or replace it")


def place_findings(where: NDArray[np.intp], brain: NDArray[np.bool_], file: str) -> tuple[list[Finding], list[Finding]]:
    """Problems (`mask_mismatch`: no tumour voxel touches the brain) and warnings (`tumour_outside_brain`: some do not).

    where: flat positions of the tumour. brain: flat, in the same order.
    """
    outside = where.size - int(np.count_nonzero(brain[where]))
    if where.size == 0:
        message = "the mask is empty: it marks no tumour at all; put the expert's mask in its place"
    elif outside == where.size:
        message = f"none of the {where.size} tumour voxels touches the brain; is it the mask of another case?"
    elif outside:
        message = f"{outside} of {where.size} tumour voxels lie outside the brain; have a look at the mask"
        return [], [Finding("tumour_outside_brain", file, message)]
    else:
        return [], []
    return [Finding("mask_mismatch", file, message)], []


def mask_facts(mask: NDArray[Any], where: NDArray[np.intp], written: NDArray[Any]) -> dict[str, Any]:
    """Facts (see `Verdict`) of a mask with sound labels; where, written: its `tumour_voxels`."""
    inside = written.astype(np.uint8)
    counts = np.bincount(inside, minlength=5).tolist()
    inside[inside == ENHANCING["brats2023"]] = ENHANCING["brats2021"]
    return {
        "labels": {"0": mask.size - where.size} | {str(label): count for label, count in enumerate(counts) if count},
        "convention": convention_of(np.flatnonzero(counts)),
        "label_1": counts[1],
        "label_2": counts[2],
        "label_4": counts[3] + counts[4],
        "tumour_crc32": isal_zlib.crc32(inside, isal_zlib.crc32(where.astype("<i8", copy=False))),
    }
