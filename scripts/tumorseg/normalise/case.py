"""From the volumes of a case to what the network sees."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.boxes import box_around
from tumorseg.cohort.again import read_images_again, read_mask_again
from tumorseg.cohort.background import ZERO, Background, backgrounds_of
from tumorseg.cohort.verdict import Verdict
from tumorseg.cohort.volume import Volume
from tumorseg.normalise.crop import brain_of, crop
from tumorseg.normalise.intensity import normalise_intensities
from tumorseg.normalise.store import NormalisedCase, Origin
from tumorseg.task import Task


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
    box = box_around(brain_of(arrays, backgrounds), settings["margin"])
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
    other = {channel: found.facts() for channel, found in backgrounds.items() if found != ZERO}
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


def normalise_verdict(root: Path, verdict: Verdict, settings: Mapping[str, Any], *, task: Task) -> NormalisedCase:
    """Read the files of a usable case again, below `root`, and normalise it.

    Raises UserError where a file is no longer the one that the verdict is about.
    """
    volumes = read_images_again(root, verdict.facts, task)
    volumes["seg"] = read_mask_again(root, verdict.facts, task)
    return normalise_case(
        verdict.case,
        volumes,
        task=task,
        backgrounds=backgrounds_of(verdict.facts),
        convention=verdict.facts["convention"],
        settings=settings,
    )
