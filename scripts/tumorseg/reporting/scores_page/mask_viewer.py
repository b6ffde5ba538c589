"""Prepare the masks of the cases with the largest disagreements for the viewer, each folder with the reference."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.evaluation.disagreements import CaseMasks
from tumorseg.geometry import bounding_box, box_slices
from tumorseg.plotting.viewer_volumes import encode_masks

_MARGIN_MM: Final = 10.0
_BRIGHTEST: Final = 0.5
"""Grey value of voxels that all masks label, so that the colours above it stay dark enough."""


def pair_name(case: str, folder: str) -> str:
    """Return the name of a case of a folder in the viewer."""
    return f"{case}, {folder}"


def encode_pairs(masks: CaseMasks, max_bytes: int) -> Iterator[dict[str, Any]]:
    """Yield each valid prediction of a case with the reference, see `viewer_volumes.encode_masks`.

    The volumes are cut to the box around everything that any of the masks labels.

    Args:
        masks: all masks of the case.
        max_bytes: maximal size of a pair in bytes of base64.
    """
    labels = np.stack([masks.reference, *masks.valid.values()])
    labelled: NDArray[np.float32] = (labels > 0).mean(axis=0, dtype=np.float32)
    box = bounding_box(np.greater(labelled, 0), int(np.ceil(_MARGIN_MM / min(masks.spacing_mm))))
    inside = box_slices(box)
    affine = masks.affine.copy()
    affine[:3, 3] = (masks.affine @ [*(start for start, _ in box), 1])[:3]
    for folder, prediction in masks.valid.items():
        name = pair_name(masks.case, folder)
        yield encode_masks(
            name,
            name,
            reference=masks.reference[inside],
            prediction=prediction[inside],
            marked=_BRIGHTEST * labelled[inside],
            affine=affine,
            spacing_mm=masks.spacing_mm,
            max_bytes=max_bytes,
        )
