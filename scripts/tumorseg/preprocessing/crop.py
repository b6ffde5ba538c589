"""The brain mask, and conversion between a case's original grid, its cropped grid and the network's grid."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import Background
from tumorseg.geometry import box_slices
from tumorseg.orientation import (
    NETWORK_AXES,
    reorient,
    reoriented_affine,
    reoriented_box_start,
    reoriented_shape,
    reoriented_spacing_mm,
    undo_reorient,
)
from tumorseg.preprocessing.resampling import ResampledGrid, resampled_grid
from tumorseg.preprocessing.store import Origin


def brain_mask(images: Mapping[str, NDArray[Any]], backgrounds: Mapping[str, Background]) -> NDArray[np.bool_]:
    """Return the voxels where at least one image is not background.

    Args:
        images: the image of each channel, all of one shape (X, Y, Z).
        backgrounds: the background of each channel.

    Returns:
        Brain mask, bool (X, Y, Z).
    """
    first, *others = images
    outside = backgrounds[first].mask(images[first])
    for channel in others:
        np.logical_and(outside, backgrounds[channel].mask(images[channel]), out=outside)
    brain: NDArray[np.bool_] = np.logical_not(outside, out=outside)
    return brain


def crop(volume: NDArray[Any], origin: Origin) -> NDArray[Any]:
    """Crop a volume to the box of the case, and reorient it to the network's axes.

    Args:
        volume: voxels on the original grid (X, Y, Z), any dtype.
        origin: where the case comes from.

    Returns:
        The volume on the cropped grid (x, y, z); a view.
    """
    return reorient(volume[box_slices(origin.crop)], origin.affine, NETWORK_AXES)


def uncrop(volume: NDArray[Any], origin: Origin, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return a volume to the original grid; the inverse of `crop`.

    Args:
        volume: voxels on the cropped grid (x, y, z), any dtype.
        origin: where the case comes from.
        out: array on the original grid (X, Y, Z) to write the volume into; None for a new array of zeros.

    Returns:
        The volume on the original grid (X, Y, Z).
    """
    whole = np.zeros(origin.shape, volume.dtype) if out is None else out
    whole[box_slices(origin.crop)] = undo_reorient(volume, origin.affine, NETWORK_AXES)
    return whole


def cropped_start(origin: Origin) -> tuple[int, int, int]:
    """Return the first voxel of the network's grid, as an index into the whole grid in the network's axes.

    If the case is resampled, both grids are resampled.
    """
    if origin.resampled is not None:
        return origin.resampled.start
    return reoriented_box_start(origin.affine, origin.shape, origin.crop, NETWORK_AXES)


def network_grid(origin: Origin, target_mm: Sequence[float] | None) -> ResampledGrid | None:
    """Return the network's grid of a case.

    Args:
        origin: the case with its box.
        target_mm: voxel edges of the network's grid, see `resampling.target_spacing_mm`.

    Returns:
        The grid; None if it is the cropped grid.

    Raises:
        ResampledSizeError: the case would have too many voxels.
    """
    if target_mm is None:
        return None
    starts = reoriented_box_start(origin.affine, origin.shape, origin.crop, NETWORK_AXES)
    sides = reoriented_shape(origin.affine, [stop - start for start, stop in origin.crop], NETWORK_AXES)
    (x, y, z) = ((start, start + side) for start, side in zip(starts, sides, strict=True))
    return resampled_grid(
        origin.case,
        reoriented_shape(origin.affine, origin.shape, NETWORK_AXES),
        (x, y, z),
        reoriented_spacing_mm(origin.affine, NETWORK_AXES),
        target_mm,
    )


def cropped_affine(origin: Origin) -> NDArray[np.float64]:
    """Return the affine of the cropped grid, 4x4, from voxels to millimetres."""
    starts = [start for start, _ in origin.crop]
    moved = np.array(origin.affine)
    moved[:3, 3] += moved[:3, :3] @ starts
    return reoriented_affine(moved, tuple(stop - start for start, stop in origin.crop), NETWORK_AXES)
