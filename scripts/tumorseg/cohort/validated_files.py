"""Reread validated files, and stop if one has changed since its validation."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tumorseg.cohort.mask_checks import canonical_labels, read_labels
from tumorseg.cohort.regrid import VoxelGrid, dense_mask, regrid_labels
from tumorseg.errors import UserError
from tumorseg.io.volume import Volume, read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.task import Task


def reread_validated(root: Path, facts: Mapping[str, Any]) -> Volume:
    """The volume of a file, from its facts in a verdict (`path` below `root`, `digest`, `voxels`).

    Raises UserError where the file is no longer the one that was validated.
    """
    path = root / facts["path"]
    try:
        volume = read_volume(path, facts["voxels"])
    except VolumeError as damage:
        raise UserError(f"{path}: sound when it was validated, now {damage.code}: {damage.message}") from None
    if volume.digest != facts["digest"]:
        raise UserError(f"{path}: the file has changed since it was validated; run the workflow again")
    return volume


def reread_images(root: Path, facts: Mapping[str, Any], task: Task) -> dict[str, Volume]:
    """The image of each channel of a usable case, from the facts of its verdict; a file of several is read once.

    Raises UserError as `read_again` does.
    """
    files = facts["files"]
    volumes: dict[str, Volume] = {}
    images = {}
    for channel in task.channels:
        if channel.name in files:
            path = files[channel.name]["path"]
            volume = volumes[path] if path in volumes else reread_validated(root, files[channel.name])
            images[channel.name] = volume.channel(channel.volume)
            if channel.volume is not None:
                volumes[path] = volume
    return images


def reread_mask(root: Path, facts: Mapping[str, Any], task: Task) -> Volume:
    """The mask of a usable case, from the facts of its verdict, as validation took it.

    Its voxels are labels of the task (uint8), on the grid of the images, whose affine and spacing it has. Raises
    UserError as `read_again` does.
    """
    file = facts["files"]["seg"]
    volume = reread_validated(root, file)
    images = VoxelGrid(tuple(facts["shape"]), np.array(facts["affine"]), facts.get("oriented", True))
    labels = canonical_labels(read_labels(volume.array), task, facts["convention"])
    placed = regrid_labels(labels, volume, images, "the images")
    if placed.labels is None:
        raise UserError(f"{root / file['path']}: {placed.problem}; run the workflow again")
    return replace(
        volume, array=dense_mask(placed.labels, images.shape), affine=images.affine, spacing=tuple(facts["spacing"])
    )
