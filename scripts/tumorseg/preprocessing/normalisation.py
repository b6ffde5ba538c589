"""Normalises a case: z-scores of the intensities, cropped to the brain and turned to the axes of the network."""

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
from tumorseg.preprocessing.crop import brain_mask, crop
from tumorseg.preprocessing.store import NormalisedCase, Origin
from tumorseg.task import Task

_MAX_LEVELS: Final = 2**16
"""Whole numbers that span fewer are counted: each level is normalised once, not each voxel."""
_SLAB_PLANES: Final = 16


def normalise_intensities(
    voxels: NDArray[Any],
    clip_percentiles: Sequence[float],
    background: Background = ZERO_BACKGROUND,
    out: NDArray[np.float16] | None = None,
) -> tuple[NDArray[np.float16], dict[str, float]]:
    """Clip to percentiles, then subtract the mean and divide by the standard deviation (z-score).

    All of them are those of the voxels that are not background, which are the brain as this modality shows it; where it
    shows nothing, be it background or a slab that was not acquired, the result is exactly 0, the mean of the brain. A
    brain of one value gives 0 everywhere.

    voxels: (x, y, z), any real type, finite as float32 but for the background. out: where the result is put, new if
    None. Returns float16 (x, y, z), and what was applied: `low`, `high` (the bounds), `mean` and `std` after clipping.
    """
    result = np.empty(voxels.shape, np.float16) if out is None else out
    if voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 4:
        lowest, highest = int(voxels.min()), int(voxels.max())
        if highest - lowest < _MAX_LEVELS:
            return result, _normalise_levels(voxels, (lowest, highest), background, clip_percentiles, result)
    shown = ~background.mask(voxels)
    result[...] = 0
    result[shown], applied = _z_scores(voxels[shown], None, clip_percentiles)
    return result, applied


def _normalise_levels(
    voxels: NDArray[Any],
    value_range: tuple[int, int],
    background: Background,
    clip_percentiles: Sequence[float],
    out: NDArray[np.float16],
) -> dict[str, float]:
    """Normalise whole numbers into `out`; slab by slab, since a slab fits into the processor's cache.

    ends: the lowest and the highest of them.
    """
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
    """The clipped z-score of each value, and what was applied. counts: how often each occurs, None for once."""
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
    """Percentiles, interpolated linearly as `numpy.percentile` does; values with counts come sorted."""
    if counts is None:
        return [float(bound) for bound in np.percentile(values, percents)]
    rank = np.cumsum(counts)  # of the last of each value, from 1
    position = np.asarray(percents) / 100 * (rank[-1] - 1)
    below, above = (values[np.searchsorted(rank, end(position), side="right")] for end in (np.floor, np.ceil))
    bounds: list[float] = (below + (above - below) * (position % 1)).tolist()
    return bounds


def normalise_images(
    case: str,
    volumes: Mapping[str, Volume],
    *,
    task: Task,
    backgrounds: Mapping[str, Background],
    convention: str | None,
    settings: Mapping[str, Any],
) -> tuple[NDArray[np.float16], Origin]:
    """The image of a case, (channels, x, y, z) in the order of the task, and where it comes from.

    It is turned to `orientation.NETWORK_AXES`, so that every case meets the network the same way round. An optional
    channel that the case lacks is 0 everywhere, the mean of the brain.

    volumes: the image of each channel, on one grid (X, Y, Z), finite as float32 but for its background. backgrounds:
    that of each, see `backgrounds_of`. settings: `margin`, voxels kept around the brain (all that is not background in
    every image), and `clip_percentiles`, see `normalise_intensities`. The mask has no say in it, so that a case is
    normalised alike with and without one.
    """
    images = {channel: volumes[channel] for channel in task.channel_names if channel in volumes}
    grid = next(iter(images.values()))
    arrays = {channel: volume.array for channel, volume in images.items()}
    box = bounding_box(brain_mask(arrays, backgrounds), settings["margin"])
    affine = tuple(tuple(row) for row in (grid.affine + 0.0).tolist())  # -0.0 becomes 0.0
    origin = Origin(case, grid.array.shape, affine, box, convention, dict(settings), {}, grid.forms)
    voxels = {channel: crop(array, origin) for channel, array in arrays.items()}
    image = np.empty((len(task.channels), *next(iter(voxels.values())).shape), np.float16)
    intensities = {}
    for place, channel in enumerate(task.channel_names):
        if channel not in voxels:
            image[place] = 0
            continue
        _, intensities[channel] = normalise_intensities(
            voxels[channel], settings["clip_percentiles"], backgrounds[channel], out=image[place]
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
    """A case with its mask (`seg` among the volumes, labels of the task as uint8) on the same grid.

    convention: how the mask is written on disk, kept in the origin. Tumour voxels beyond the margin around the brain,
    where no image shows anything, are not kept.
    """
    image, origin = normalise_images(
        case, volumes, task=task, backgrounds=backgrounds, convention=convention, settings=settings
    )
    return NormalisedCase(image, np.ascontiguousarray(crop(volumes["seg"].array, origin)), origin)


def normalise_validated_case(
    root: Path, verdict: ValidationResult, settings: Mapping[str, Any], *, task: Task
) -> NormalisedCase:
    """Read the files of a usable case again, below `root`, and normalise it.

    Raises UserError where a file is no longer the one that the verdict is about.
    """
    volumes = reread_images(root, verdict.facts, task)
    volumes["seg"] = reread_mask(root, verdict.facts, task)
    return normalise_case(
        verdict.case,
        volumes,
        task=task,
        backgrounds=backgrounds_from_facts(verdict.facts),
        convention=verdict.facts["convention"],
        settings=settings,
    )
