"""Prepare the masks of the cases with the largest disagreements for the viewer, each folder with the reference."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.evaluation.disagreements import CaseMasks, Disagreement
from tumorseg.geometry import bounding_box, box_slices
from tumorseg.plotting.viewer_volumes import encode_masks, encoded_bytes

MAX_BYTES: Final = 12_000_000
"""Maximal size of all pairs in bytes of base64, so that the page stays well below 25 MB."""
_MARGIN_MM: Final = 10.0
_BRIGHTEST: Final = 0.5
"""Grey value of voxels that all masks label, so that the colours above it stay dark enough."""


def pair_name(case: str, folder: str) -> str:
    """Return the name of a case of a folder in the viewer."""
    return f"{case}, {folder}"


class PairCollector:
    """Collects pairs of a prediction and the reference for the viewer until they reach a size.

    Attributes:
        pairs: the encoded pairs, see `viewer_volumes.encode_masks`.
        texts: the text of each pair.
        left_out: number of pairs that had no room.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        """Start without pairs. max_bytes: maximal size of all pairs in bytes of base64."""
        self.pairs: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.left_out = 0
        self._room = max_bytes

    def add(self, found: Disagreement, masks: CaseMasks) -> None:
        """Add the valid predictions of a case, those with the lowest Dice first.

        Args:
            found: the case.
            masks: all its masks.
        """
        folders = sorted(masks.valid, key=lambda folder: found.dice[folder])
        for folder, pair in zip(folders, encode_pairs(masks, folders), strict=True):
            size = encoded_bytes(pair)
            if size > self._room:
                self.left_out += 1
                continue
            self._room -= size
            self.pairs.append(pair)
            self.texts.append(f"Mean Dice over the labels: {found.dice[folder]:.3f}.")


def encode_pairs(masks: CaseMasks, folders: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the predictions of folders with the reference, see `viewer_volumes.encode_masks`.

    The volumes are cut to the box around everything that any of the masks labels.

    Args:
        masks: all masks of the case.
        folders: folders with a valid prediction.
    """
    labels = np.stack([masks.reference, *masks.valid.values()])
    labelled: NDArray[np.float32] = (labels > 0).mean(axis=0, dtype=np.float32)
    box = bounding_box(np.greater(labelled, 0), int(np.ceil(_MARGIN_MM / min(masks.spacing_mm))))
    inside = box_slices(box)
    affine = masks.affine.copy()
    affine[:3, 3] = (masks.affine @ [*(start for start, _ in box), 1])[:3]
    for folder in folders:
        name = pair_name(masks.case, folder)
        yield encode_masks(
            name,
            name,
            reference=masks.reference[inside],
            prediction=masks.valid[folder][inside],
            marked=_BRIGHTEST * labelled[inside],
            affine=affine,
            spacing_mm=masks.spacing_mm,
        )
