"""The brain that is kept of a case, and the way there and back between its original grid and that of the network."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.boxes import box_slices
from tumorseg.cohort.background import Background
from tumorseg.normalise.store import Origin
from tumorseg.orientation import NETWORK_AXES, turned, turned_affine, turned_back, turned_start


def brain_of(images: Mapping[str, NDArray[Any]], backgrounds: Mapping[str, Background]) -> NDArray[np.bool_]:
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
    return turned(volume[box_slices(origin.crop)], origin.affine, NETWORK_AXES)


def uncrop(volume: NDArray[Any], origin: Origin, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """A volume on the grid that `crop` gives, put back in its place on the original grid (X, Y, Z).

    out: what is there elsewhere; 0 if None. It is changed and returned.
    """
    whole = np.zeros(origin.shape, volume.dtype) if out is None else out
    whole[box_slices(origin.crop)] = turned_back(volume, origin.affine, NETWORK_AXES)
    return whole


def cropped_start(origin: Origin) -> tuple[int, int, int]:
    """The first voxel of the grid that `crop` gives, on the whole grid turned to the network's axes."""
    return turned_start(origin.affine, origin.shape, origin.crop, NETWORK_AXES)


def cropped_affine(origin: Origin) -> NDArray[np.float64]:
    """Voxel to millimetres of the grid that `crop` gives."""
    starts = [start for start, _ in origin.crop]
    moved = np.array(origin.affine)
    moved[:3, 3] += moved[:3, :3] @ starts
    return turned_affine(moved, tuple(stop - start for start, stop in origin.crop), NETWORK_AXES)
