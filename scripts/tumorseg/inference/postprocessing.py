"""What is done to a predicted mask by choice, and how many voxels each choice changed."""

from typing import Final

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.inference.settings import PostprocessingSettings
from tumorseg.labels import REGIONS

_WITHOUT: Final = {"ET": 1, "TC": 2, "WT": 0}
"""What a voxel becomes that is taken off a region: core without contrast, oedema, background. Smallest region first."""
_NECROTIC: Final = 1
_ENHANCING: Final = 4


def postprocess(
    mask: NDArray[np.uint8], voxel_mm3: float, settings: PostprocessingSettings
) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """A mask of inside labels (x, y, z) after post-processing, and the voxels that each step changed.

    In this order: small pieces are taken off ET, TC and WT, so that what is left of a piece of enhancing tumour may
    still be a small piece of core; then too little enhancing tumour becomes necrotic core; then holes are filled.
    """
    result = mask.copy()
    changed = {}
    for region, replacement in _WITHOUT.items():
        small = _small_pieces(np.isin(result, REGIONS[region]), settings.remove_components[region] / voxel_mm3)
        result[small] = replacement
        changed[f"removed_from_{region}"] = int(np.count_nonzero(small))
    enhancing = result == _ENHANCING
    too_little = np.count_nonzero(enhancing) * voxel_mm3 < settings.smallest_enhancing
    if too_little:
        result[enhancing] = _NECROTIC
    changed["enhancing_made_core"] = int(np.count_nonzero(enhancing)) if too_little else 0
    changed["filled"] = _fill(result) if settings.fill_holes else 0
    return result, changed


def _small_pieces(region: NDArray[np.bool_], voxels: float) -> NDArray[np.bool_]:
    """The 26-connected pieces of a region that have fewer voxels."""
    if voxels <= 1 or not region.any():
        return np.zeros_like(region)
    pieces, count = cc3d.connected_components(region, connectivity=26, return_N=True)
    small = np.bincount(pieces.ravel(), minlength=count + 1) < voxels
    small[0] = False
    chosen: NDArray[np.bool_] = small[pieces]
    return chosen


def _fill(mask: NDArray[np.uint8]) -> int:
    """Make background that tumour core encloses necrotic core, and what the whole tumour encloses oedema, in place."""
    filled = 0
    for region, label in (("TC", 1), ("WT", 2)):
        holes = ndimage.binary_fill_holes(np.isin(mask, REGIONS[region])) & (mask == 0)
        mask[holes] = label
        filled += int(np.count_nonzero(holes))
    return filled
