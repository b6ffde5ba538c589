"""Normalisation of a case: intensities become z-scores; the image is cropped to the brain, reoriented and resampled."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import ZERO_BACKGROUND, Background, backgrounds_from_facts
from tumorseg.cohort.validated_files import reread_images, reread_mask
from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.geometry import bounding_box
from tumorseg.io.volume import Volume
from tumorseg.preprocessing.crop import brain_mask, crop, network_grid
from tumorseg.preprocessing.resampling import resample_image, resample_mask, stored_settings, target_spacing_mm
from tumorseg.preprocessing.store import CroppedVolumes, NormalisedCase, Origin
from tumorseg.task import Task

_MAX_LEVELS: Final = 2**16
"""Below this range of whole numbers, each grey level is normalised once instead of each voxel."""
_SLAB_PLANES: Final = 16


def normalise_intensities(
    voxels: NDArray[Any],
    clip_percentiles: Sequence[float],
    background: Background = ZERO_BACKGROUND,
    out: NDArray[np.float16] | None = None,
) -> tuple[NDArray[np.float16], dict[str, float]]:
    """Clip to percentiles, then subtract the mean and divide by the standard deviation (z-score).

    Percentiles, mean and standard deviation are those of the brain: the voxels that are not background. Background,
    including a slab that was not acquired, becomes exactly 0, the mean of the brain. A brain of a single value becomes
    0 everywhere.

    Args:
        voxels: one channel (x, y, z), any real dtype, finite as float32 except in the background.
        clip_percentiles: lower and upper percentile, from 0 to 100.
        background: which voxels are background.
        out: array for the result, float16 (x, y, z); a new one if None.

    Returns:
        The z-scores, float16 (x, y, z), and the values applied: the clipping bounds `low` and `high`, and `mean` and
        `std` after clipping.
    """
    result = np.empty(voxels.shape, np.float16) if out is None else out
    if voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 4:
        lowest, highest = int(voxels.min()), int(voxels.max())
        if highest - lowest < _MAX_LEVELS:
            return result, _normalise_levels(voxels, (lowest, highest), background, clip_percentiles, result)
    brain = ~background.mask(voxels)
    result[...] = 0
    result[brain], applied = _z_scores(voxels[brain], None, clip_percentiles)
    return result, applied


def _normalise_levels(
    voxels: NDArray[Any],
    value_range: tuple[int, int],
    background: Background,
    clip_percentiles: Sequence[float],
    out: NDArray[np.float16],
) -> dict[str, float]:
    """Normalise whole numbers into `out`, in slabs that fit into the processor's cache."""
    lowest, highest = value_range
    values = np.arange(lowest, highest + 1, dtype=np.float64)
    counts = np.zeros(values.size, np.intp)
    for start in range(0, voxels.shape[2], _SLAB_PLANES):
        level = voxels[:, :, start : start + _SLAB_PLANES].astype(np.intp) - lowest
        counts += np.bincount(level.ravel(order="K"), minlength=values.size)
    outside = background.mask(values)
    counts[outside] = 0
    scores, applied = _z_scores(values, counts, clip_percentiles)
    scores[outside] = 0
    for y in range(voxels.shape[1]):
        out[:, y] = scores.take(voxels[:, y].astype(np.intp) - lowest)
    return applied


def _z_scores(
    values: NDArray[Any], counts: NDArray[np.intp] | None, clip_percentiles: Sequence[float]
) -> tuple[NDArray[np.float16], dict[str, float]]:
    """Return clipped z-scores and the values applied; `counts` is how often each value occurs, None for once."""
    if values.size == 0 or (counts is not None and not counts.any()):
        return np.zeros(values.shape, np.float16), {"low": 0.0, "high": 0.0, "mean": 0.0, "std": 0.0}
    low, high = _percentiles(values, counts, clip_percentiles)
    scores = values.astype(np.float32)
    np.clip(scores, low, high, out=scores)
    mean = float(np.average(scores.astype(np.float64), weights=counts))
    scores -= np.float32(mean)
    # In float64, since squares of 2e19 and more overflow float32.
    std = float(np.sqrt(np.average(np.square(scores, dtype=np.float64), weights=counts)))
    if std > 1e-6 * max(abs(low), abs(high)):  # below that it is rounding
        scores /= np.float32(std)
    else:
        scores[:] = 0
    return scores.astype(np.float16), {"low": low, "high": high, "mean": mean, "std": std}


def _percentiles(values: NDArray[Any], counts: NDArray[np.intp] | None, percents: Sequence[float]) -> list[float]:
    """Return percentiles, interpolated linearly as in `numpy.percentile`; values with counts must be sorted."""
    if counts is None:
        return [float(bound) for bound in np.percentile(values, percents)]
    rank = np.cumsum(counts)  # of the last of each value, from 1
    position = np.asarray(percents) / 100 * (rank[-1] - 1)
    below, above = (values[np.searchsorted(rank, end(position), side="right")] for end in (np.floor, np.ceil))
    bounds: list[float] = (below + (above - below) * (position % 1)).tolist()
    return bounds


def normalise_on_cropped_grid(
    case: str,
    volumes: Mapping[str, Volume],
    *,
    task: Task,
    backgrounds: Mapping[str, Background],
    convention: str | None,
    settings: Mapping[str, Any],
) -> tuple[NDArray[np.float16], Origin]:
    """Normalise the images of a case, crop them to the brain and reorient them to `orientation.NETWORK_AXES`.

    An optional channel that the case lacks is 0 everywhere, the mean of the brain. The mask has no influence, so a case
    is normalised in the same way with and without one.

    Args:
        case: name of the case.
        volumes: the image of each channel, all on one grid (X, Y, Z), finite as float32 except in the background.
        task: gives the channels and their order.
        backgrounds: background of each channel, see `backgrounds_from_facts`.
        convention: how the case's mask writes labels on disk; recorded in the origin.
        settings: `margin_voxels` around the brain, `clip_percentiles`, see `normalise_intensities`, and `spacing_mm`,
            see `resampling.target_spacing_mm`.

    Returns:
        The image before resampling, float16 (channels, x, y, z) with channels in the order of the task, and its origin,
        which has the network's grid.

    Raises:
        ResampledSizeError: the case would have too many voxels after resampling.
    """
    images = {channel: volumes[channel] for channel in task.channel_names if channel in volumes}
    grid = next(iter(images.values()))
    arrays = {channel: volume.array for channel, volume in images.items()}
    box = bounding_box(brain_mask(arrays, backgrounds), settings["margin_voxels"])
    affine = tuple(tuple(row) for row in (grid.affine + 0.0).tolist())  # -0.0 becomes 0.0
    origin = Origin(case, grid.array.shape, affine, box, convention, stored_settings(settings), {}, grid.forms)
    origin = replace(origin, resampled=network_grid(origin, target_spacing_mm(settings)))
    voxels = {channel: crop(array, origin) for channel, array in arrays.items()}
    image = np.empty((len(task.channels), *next(iter(voxels.values())).shape), np.float16)
    intensities = {}
    for index, channel in enumerate(task.channel_names):
        if channel not in voxels:
            image[index] = 0
            continue
        _, intensities[channel] = normalise_intensities(
            voxels[channel], settings["clip_percentiles"], backgrounds[channel], out=image[index]
        )
    other = {channel: found.facts() for channel, found in backgrounds.items() if found != ZERO_BACKGROUND}
    files = {role: volume.digest for role, volume in volumes.items()}
    return image, replace(origin, intensities=intensities, backgrounds=other, files=files)


def normalise_case(
    case: str,
    volumes: Mapping[str, Volume],
    *,
    task: Task,
    backgrounds: Mapping[str, Background],
    convention: str | None,
    settings: Mapping[str, Any],
) -> NormalisedCase:
    """Normalise a case with its mask.

    Mask voxels outside the margin around the brain, where no image shows anything, are lost.

    Args:
        case: name of the case.
        volumes: as for `normalise_on_cropped_grid`, and the mask as `seg`: uint8 (X, Y, Z), canonical labels of the
            task.
        task: gives the channels and their order.
        backgrounds: background of each channel.
        convention: how the mask writes labels on disk; recorded in the origin.
        settings: as for `normalise_on_cropped_grid`.

    Returns:
        Image and mask on the network's grid, with their origin; if the case is resampled, also those before resampling.

    Raises:
        ResampledSizeError: the case would have too many voxels after resampling.
    """
    image, origin = normalise_on_cropped_grid(
        case, volumes, task=task, backgrounds=backgrounds, convention=convention, settings=settings
    )
    return resample_case(NormalisedCase(image, np.ascontiguousarray(crop(volumes["seg"].array, origin)), origin))


def resample_case(case: NormalisedCase) -> NormalisedCase:
    """Return a case on the network's grid.

    Args:
        case: image and mask on the cropped grid, and an origin that has the network's grid.

    Returns:
        The resampled case, with the volumes before resampling; `case` itself if nothing is resampled.
    """
    grid = case.origin.resampled
    if grid is None:
        return case
    cropped = CroppedVolumes(case.image, case.mask)
    return NormalisedCase(resample_image(case.image, grid), resample_mask(case.mask, grid), case.origin, cropped)


def normalise_validated_case(
    root: Path, result: ValidationResult, settings: Mapping[str, Any], *, task: Task
) -> NormalisedCase:
    """Read the files of a usable case again and normalise it.

    Args:
        root: folder that holds the case folders.
        result: validation result of the case.
        settings: as for `normalise_on_cropped_grid`.
        task: gives the channels and their order.

    Returns:
        The normalised case.

    Raises:
        UserError: a file has changed since it was validated.
    """
    volumes = reread_images(root, result.facts, task)
    volumes["seg"] = reread_mask(root, result.facts, task)
    return normalise_case(
        result.case,
        volumes,
        task=task,
        backgrounds=backgrounds_from_facts(result.facts),
        convention=result.facts["convention"],
        settings=settings,
    )
