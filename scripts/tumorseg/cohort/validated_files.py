"""Reread validated files, and stop if one has changed since its validation."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tumorseg.cohort.mask_checks import canonical_labels, read_labels
from tumorseg.cohort.mask_grid import VoxelGrid, dense_mask, move_to_grid
from tumorseg.errors import UserError
from tumorseg.io.volume import Volume, read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.task import Task


def reread_validated(root: Path, facts: Mapping[str, Any]) -> Volume:
    """Read a validated file again, and check that it is unchanged.

    Args:
        root: the folder that paths are relative to.
        facts: the file's facts in the validation result: `path`, `digest` and `voxels`.

    Returns:
        The volume.

    Raises:
        UserError: the file has changed since its validation.
    """
    path = root / facts["path"]
    try:
        volume = read_volume(path, facts["voxels"])
    except VolumeError as error:
        raise UserError(
            f"{path}: the file was valid at validation but is now invalid ({error.code}: {error.message}); restore it "
            "and run the workflow again"
        ) from None
    if volume.digest != facts["digest"]:
        raise UserError(f"{path}: the file has changed since it was validated; run the workflow again")
    return volume


def reread_images(root: Path, facts: Mapping[str, Any], task: Task) -> dict[str, Volume]:
    """Read the images of a usable case again; a file with several channels is read once.

    Args:
        root: the folder that paths are relative to.
        facts: facts of the case's validation result.
        task: task of the case.

    Returns:
        The image of each channel that the case has.

    Raises:
        UserError: a file has changed since its validation.
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
    """Read the mask of a usable case again, on the grid of its images.

    Args:
        root: the folder that paths are relative to.
        facts: facts of the case's validation result.
        task: task of the case.

    Returns:
        The mask as canonical labels, uint8, with the affine and spacing of the images.

    Raises:
        UserError: the file has changed since its validation, or no longer fits the images.
    """
    file = facts["files"]["seg"]
    volume = reread_validated(root, file)
    images = VoxelGrid(tuple(facts["shape"]), np.array(facts["affine"]), facts.get("oriented", True))
    labels = canonical_labels(read_labels(volume.array), task, facts["convention"])
    placed = move_to_grid(labels, volume, images, "the images")
    if placed.labels is None:
        raise UserError(f"{root / file['path']}: {placed.problem}; run the workflow again")
    return replace(
        volume, array=dense_mask(placed.labels, images.shape), affine=images.affine, spacing_mm=tuple(facts["spacing"])
    )
