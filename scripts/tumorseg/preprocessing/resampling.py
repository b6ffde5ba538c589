"""Resampling between the cropped grid of a case and the network's grid with another voxel size.

Both grids have the axes `orientation.NETWORK_AXES`. Along an axis that gets coarser, a voxel becomes the mean of all
that it covers, so that fine detail does not become noise (aliasing). Along the others, values are interpolated
linearly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, prod, sqrt
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tumorseg.errors import UserError
from tumorseg.geometry import Box, format_spacing
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS

_EQUAL_SIDES: Final = 0.05
"""An axis keeps its voxels if resampling would change its length by less than this, in voxels."""
_ROUNDING: Final = 1e-6
_TIE: Final = 1e-4
"""Shares that differ by less than this are equal. For labels, the nearest voxel decides."""


class ResampledSizeError(UserError):
    """A case would have too many voxels after resampling."""


@dataclass(frozen=True)
class ResampledGrid:
    """The grid of a resampled case. All tuples are along `orientation.NETWORK_AXES`.

    Attributes:
        cropped_shape: voxels of the cropped grid.
        shape: voxels of the resampled grid.
        step: edge of a resampled voxel, in voxels of the cropped grid.
        offset: centre of the first resampled voxel, as a position on the cropped grid in voxels.
        start: the first resampled voxel, as an index into the resampled whole grid.
    """

    cropped_shape: tuple[int, int, int]
    shape: tuple[int, int, int]
    step: tuple[float, float, float]
    offset: tuple[float, float, float]
    start: tuple[int, int, int]

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the grid from plain JSON types."""
        return cls(**{name: tuple(values) for name, values in content.items()})


def target_spacing_mm(settings: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Return the voxel edges of the network's grid along its axes, from the normalisation settings.

    Args:
        settings: the section `normalisation` of the configuration, or the settings that a model stores.

    Returns:
        The edges in mm; None if nothing is resampled.
    """
    spacing = settings.get("spacing_mm")
    if spacing is None:
        return None
    x, y, z = spacing if isinstance(spacing, list | tuple) else (spacing,) * 3
    return float(x), float(y), float(z)


def stored_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return normalisation settings as cases and models store them: equal settings are stored in the same way.

    Args:
        settings: the section `normalisation` of the configuration.

    Returns:
        The settings with `spacing_mm` as three numbers, or without it if nothing is resampled.
    """
    others = {key: value for key, value in settings.items() if key != "spacing_mm"}
    spacing = target_spacing_mm(settings)
    return others if spacing is None else {**others, "spacing_mm": list(spacing)}


def resampled_grid(
    case: str, shape: Sequence[int], box: Box, spacing_mm: Sequence[float], target_mm: Sequence[float]
) -> ResampledGrid | None:
    """Return the grid of a case after resampling.

    Resampled voxels are counted from the corner of the whole grid, so neither the margin of the crop nor the order in
    which voxels are stored moves them. The ends of the resampled grid differ from those of the crop by at most half a
    resampled voxel.

    Args:
        case: name of the case, for the error.
        shape: voxels of the whole grid (X, Y, Z), in the network's axes like the following arguments.
        box: box of the crop.
        spacing_mm: voxel edges of the whole grid.
        target_mm: voxel edges of the resampled grid.

    Returns:
        The resampled grid; None if the case already has these voxels.

    Raises:
        ResampledSizeError: the resampled image would be larger than any volume that is read by default.
    """
    axes = list(map(_resampled_axis, shape, box, spacing_mm, target_mm))
    sides, steps, offsets, starts = zip(*axes, strict=True)
    if all(step == 1 for step in steps):
        return None
    if prod(sides) > DEFAULT_MAX_VOXELS:
        raise ResampledSizeError(
            f"{case}: with voxels of {format_spacing(spacing_mm)} in the header, the case would have {prod(sides):,} "
            f"voxels of {format_spacing(target_mm)}, more than {DEFAULT_MAX_VOXELS:,}; correct the voxel size in the "
            "headers of its images, or train with a larger normalisation.spacing_mm"
        )
    x, y, z = (stop - start for start, stop in box)
    return ResampledGrid((x, y, z), sides, steps, offsets, starts)


def _resampled_axis(
    side: int, extent: tuple[int, int], spacing_mm: float, target_mm: float
) -> tuple[int, float, float, int]:
    """Return voxels, step, offset and start of the resampled grid along an axis."""
    first, stop = extent
    step = target_mm / spacing_mm
    if abs(step - 1) * side < _EQUAL_SIDES:
        return stop - first, 1.0, 0.0, first
    low = ceil(first / step - 0.5 - _ROUNDING)
    high = floor(stop / step + 0.5 + _ROUNDING)
    if high <= low:
        low = floor((first + stop) / 2 / step)
        high = low + 1
    return high - low, step, step * (low + 0.5) - 0.5 - first, low


def resample_image(image: NDArray[np.float16], grid: ResampledGrid | None) -> NDArray[np.float16]:
    """Return the normalised image of a case on the network's grid.

    Intensities are clipped and become z-scores on the original voxels, where background is known exactly. Background
    has no weight in the mean of voxels. A resampled voxel is brain if at least half of it is, and exactly 0 otherwise.
    A mean of voxels has less noise, so each channel is standardised once more: patients with any voxels reach the
    network with mean 0 and standard deviation 1.

    Args:
        image: z-scores on the cropped grid, float16 (channels, x, y, z); background is exactly 0.
        grid: the resampled grid; None returns `image` itself.

    Returns:
        The image on the network's grid, float16 (channels, *grid.shape).
    """
    if grid is None:
        return image
    weights = _grid_weights(grid)
    result = np.zeros((len(image), *grid.shape), np.float16)
    for channel, scores in enumerate(image):
        share = _apply(weights, (scores != 0).astype(np.float32))
        brain = share >= 0.5 - _TIE
        if brain.any():
            result[channel][brain] = _standardised(_apply(weights, scores.astype(np.float32))[brain] / share[brain])
    return result


def _standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values with mean 0 and standard deviation 1; zeros if they are all equal."""
    centred = values - np.float32(values.mean(dtype=np.float64))
    deviation = sqrt(np.square(centred, dtype=np.float64).mean())
    return centred / np.float32(deviation) if deviation > _ROUNDING else np.zeros_like(centred)


def resample_mask(mask: NDArray[np.uint8], grid: ResampledGrid | None) -> NDArray[np.uint8]:
    """Return the mask of a case on the network's grid.

    A voxel is tumour if at least half of it is, and then has the label with the largest share. So there is no
    background between two labels, where each covers less than half of a voxel.

    Args:
        mask: labels on the cropped grid, uint8 (x, y, z); 0 is background.
        grid: the resampled grid; None returns `mask` itself.

    Returns:
        The labels on the network's grid, uint8 with the shape `grid.shape`.
    """
    if grid is None:
        return mask
    indices = [_nearest(*axis) for axis in zip(grid.cropped_shape, grid.shape, grid.step, grid.offset, strict=True)]
    nearest = mask[np.ix_(*indices)]
    total = np.where(nearest > 0, np.float32(_TIE), np.float32(-_TIE))
    largest = np.full(grid.shape, -1, np.float32)
    result = np.zeros(grid.shape, np.uint8)
    weights = _grid_weights(grid)
    for label in np.unique(mask[mask > 0]).tolist():
        share = _apply(weights, (mask == label).astype(np.float32))
        total += share
        share[nearest == label] += np.float32(_TIE)
        result[share > largest] = label
        np.maximum(largest, share, out=largest)
    result[total <= 0.5] = 0
    return result


def _nearest(cropped_side: int, side: int, step: float, offset: float) -> NDArray[np.intp]:
    """Return the voxel of the cropped grid that is nearest to each resampled voxel along an axis.

    Of two voxels, the lower and the upper one are nearest in turn, so that masks do not move in one direction.
    """
    indices = np.arange(side)
    positions = offset + step * indices
    nearest: NDArray[np.intp] = np.where(indices % 2, np.floor(positions + 0.5), np.ceil(positions - 0.5)).astype(
        np.intp
    )
    return nearest.clip(0, cropped_side - 1)


def restore_probabilities(probabilities: NDArray[np.float32], grid: ResampledGrid | None) -> NDArray[np.float32]:
    """Return probabilities on the cropped grid of a case, each class by itself.

    They are interpolated linearly, or averaged along axes where the voxels of the case are longer.

    Args:
        probabilities: probabilities on the network's grid, float32 (classes, *grid.shape).
        grid: the resampled grid; None returns `probabilities` itself.

    Returns:
        The probabilities on the cropped grid, float32 (classes, x, y, z). Their sum over classes stays 1.
    """
    if grid is None:
        return probabilities
    step = [1 / edge for edge in grid.step]
    offset = [-first / edge for first, edge in zip(grid.offset, grid.step, strict=True)]
    weights = list(map(_axis_weights, grid.shape, grid.cropped_shape, step, offset))
    result = np.empty((len(probabilities), *grid.cropped_shape), np.float32)
    for index, values in enumerate(probabilities):
        result[index] = _apply(weights, values)
    return result


def _grid_weights(grid: ResampledGrid) -> list[sparse.csr_array]:
    """Return the weights of the voxels of the cropped grid in each resampled voxel, for each axis."""
    return list(map(_axis_weights, grid.cropped_shape, grid.shape, grid.step, grid.offset))


def _axis_weights(old_side: int, side: int, step: float, offset: float) -> sparse.csr_array:
    """Return the weights of old voxels in new ones along an axis, float32 (side, old_side); each row sums to 1.

    Args:
        old_side: number of old voxels.
        side: number of new voxels.
        step: edge of a new voxel, in old voxels.
        offset: centre of the first new voxel, in old voxels.
    """
    centres = offset + step * np.arange(side)
    if step > 1:  # the parts of the old voxels that a new one covers
        faces = np.clip(centres[:, None] + [-step / 2, step / 2], -0.5, old_side - 0.5)
        first = np.floor(faces[:, :1] + 0.5).astype(np.intp)
        columns = first + np.arange(ceil(step) + 1)
        covered = np.minimum(faces[:, 1:], columns + 0.5) - np.maximum(faces[:, :1], columns - 0.5)
        values = np.maximum(covered, 0) / (faces[:, 1:] - faces[:, :1])
    else:  # the two neighbours; beyond the outer voxels, their values continue
        centres = np.clip(centres, 0, old_side - 1)
        columns = np.floor(centres)[:, None].astype(np.intp) + np.arange(2)
        values = 1 - np.abs(centres[:, None] - columns)
    rows = np.broadcast_to(np.arange(side)[:, None], columns.shape)
    used = values > 0
    return sparse.csr_array((values[used].astype(np.float32), (rows[used], columns[used])), shape=(side, old_side))


def _apply(weights: Sequence[sparse.csr_array], volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a volume with the weights of each axis applied to it."""
    for matrix in weights:
        sums = matrix @ np.ascontiguousarray(volume).reshape(len(volume), -1)
        volume = sums.reshape(len(sums), *volume.shape[1:]).transpose(1, 2, 0)  # the next axis comes first
    return volume
