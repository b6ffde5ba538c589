"""The brain mask, and the way between the original grid and the cropped grid of the network."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import Background
from tumorseg.geometry import box_slices
from tumorseg.orientation import NETWORK_AXES, reorient, reoriented_affine, reoriented_box_start, undo_reorient
from tumorseg.preprocessing.store import Origin


def brain_mask(images: Mapping[str, NDArray[Any]], backgrounds: Mapping[str, Background]) -> NDArray[np.bool_]:
    """Voxels that are not background in any of the images (X, Y, Z), which have one shape.

    images, backgrounds: by modality.
    """
    first, *others = images
    outside = backgrounds[first].mask(images[first])
    for modality in others:
        np.logical_and(outside, backgrounds[modality].mask(images[modality]), out=outside)
    brain: NDArray[np.bool_] = np.logical_not(outside, out=outside)
    return brain


def crop(volume: NDArray[Any], origin: Origin) -> NDArray[Any]:
    """What is kept of a volume on the original grid (X, Y, Z): cropped, and turned to the network's axes; a view."""
    return reorient(volume[box_slices(origin.crop)], origin.affine, NETWORK_AXES)


def uncrop(volume: NDArray[Any], origin: Origin, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """A volume on the grid that `crop` gives, put back in its place on the original grid (X, Y, Z).

    out: what is there elsewhere; 0 if None. It is changed and returned.
    """
    whole = np.zeros(origin.shape, volume.dtype) if out is None else out
    whole[box_slices(origin.crop)] = undo_reorient(volume, origin.affine, NETWORK_AXES)
    return whole


def cropped_start(origin: Origin) -> tuple[int, int, int]:
    """The first voxel of the grid that `crop` gives, on the whole grid turned to the network's axes."""
    return reoriented_box_start(origin.affine, origin.shape, origin.crop, NETWORK_AXES)


def cropped_affine(origin: Origin) -> NDArray[np.float64]:
    """Voxel to millimetres of the grid that `crop` gives."""
    starts = [start for start, _ in origin.crop]
    moved = np.array(origin.affine)
    moved[:3, 3] += moved[:3, :3] @ starts
    return reoriented_affine(moved, tuple(stop - start for start, stop in origin.crop), NETWORK_AXES)
