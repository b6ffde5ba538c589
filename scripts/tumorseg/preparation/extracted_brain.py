"""Find out whether the brain of an image has been extracted already, and where it then is."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.cohort.background import Background
from tumorseg.cohort.summaries import summarise_image
from tumorseg.io.volume import Volume

_WHOLE_HEAD_WARNINGS: Final = frozenset({"not_skull_stripped", "no_background"})
"""Warnings of the validation of an image, each of which means that more than the brain may be shown."""


def extracted_background(volume: Volume) -> Background | None:
    """Return the background of an image that shows the brain alone.

    Args:
        volume: the image, 3D.

    Returns:
        The values outside the brain. None if the image shows the skull or the noise of air, has no background at its
        border, or has unusable values.
    """
    summary = summarise_image(volume, "", "", None)
    if summary.problems or any(warning.code in _WHOLE_HEAD_WARNINGS for warning in summary.warnings):
        return None
    return summary.background


def foreground_mask(voxels: NDArray[Any], background: Background) -> NDArray[np.bool_]:
    """Return the brain of an image that shows the brain alone: all but the background, with holes filled.

    Args:
        voxels: voxels of the image (X, Y, Z).
        background: values outside the brain.

    Returns:
        The mask (X, Y, Z).
    """
    mask: NDArray[np.bool_] = ndimage.binary_fill_holes(~background.mask(voxels))
    return mask
