"""Modalities, labels and regions of BraTS, by name, in one place.

Inside, the labels are those of BraTS until 2021: 0 background, 1 necrotic / non-enhancing core, 2 oedema, 4 enhancing
tumour; 3 is the class that no voxel has. BraTS 2023 writes enhancing tumour as 3, which is turned into 4 on reading.
Regions follow Menze et al. 2015 (doi:10.1109/TMI.2014.2377694) and Baid et al. 2021 (arXiv:2107.02314).
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Convention = Literal["brats2021", "brats2023"]

MODALITIES: Final = ("t1", "t1ce", "t2", "flair")
"""Order of the image channels everywhere."""
MODALITY_NAMES: Final = {"t1": "T1", "t1ce": "T1CE", "t2": "T2", "flair": "FLAIR"}

CLASSES: Final = 5
UNUSED_CLASS: Final = 3
TUMOUR_LABELS: Final = (1, 2, 4)
LABEL_NAMES: Final = {1: "necrotic / non-enhancing core", 2: "oedema", 4: "enhancing tumour"}
ENHANCING: Final[dict[Convention, int]] = {"brats2021": 4, "brats2023": 3}
"""The number that each convention writes for enhancing tumour."""

REGIONS: Final[dict[str, tuple[int, ...]]] = {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
REGION_NAMES: Final = {"WT": "whole tumour", "TC": "tumour core", "ET": "enhancing tumour"}
STRUCTURES: Final[dict[str, tuple[int, ...]]] = {**REGIONS, **{f"label_{label}": (label,) for label in TUMOUR_LABELS}}
"""All that is scored: the regions, then each label by itself."""
LABEL_STRUCTURES: Final = tuple(f"label_{label}" for label in TUMOUR_LABELS)
STRUCTURE_NAMES: Final = {**REGION_NAMES, **{f"label_{label}": name for label, name in LABEL_NAMES.items()}}


def to_inside(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask of either convention in inside labels; same shape, a copy. 3 and 4 never stand in one mask."""
    inside = mask.copy()
    inside[mask == ENHANCING["brats2023"]] = 4
    return inside


def from_inside(mask: NDArray[np.uint8], convention: Convention) -> NDArray[np.uint8]:
    """A mask of inside labels, as `convention` writes it; same shape, a copy."""
    written = mask.copy()
    written[mask == 4] = ENHANCING[convention]
    return written
