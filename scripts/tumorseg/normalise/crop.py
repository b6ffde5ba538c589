"""The brain that is kept of a case, and the way there and back between its original grid and that of the network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.boxes import box_slices
from tumorseg.normalise.store import Origin
from tumorseg.orientation import NETWORK_AXES, turned, turned_affine, turned_back, turned_start


def brain_of(images: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Voxels that are not zero in any of the images (X, Y, Z), which have one shape."""
    brain: NDArray[np.bool_] = images[0] != 0
    shown = np.empty_like(brain)  # once: fresh memory for each comparison would double the time
    for image in images[1:]:
        np.not_equal(image, 0, out=shown)
        np.logical_or(brain, shown, out=brain)
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
