"""Decide whether the images of a patient are prepared already, or have to be prepared before segmentation."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.image_checks import reference_channel
from tumorseg.errors import Message
from tumorseg.formatting import format_list
from tumorseg.geometry import format_spacing, same_grid
from tumorseg.io.files import is_transient
from tumorseg.io.nifti_header import NiftiHeader
from tumorseg.io.volume import read_volume, read_volume_header
from tumorseg.io.volume_errors import VolumeError
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.preparation.extracted_brain import extracted_background
from tumorseg.task import Task

MAX_EDGE_RATIO: Final = 1.5
"""Longest edge of a voxel, in units of its shortest, on the grid of a prepared image. Challenges publish cubes; thick
slices are 3 to 10 times as thick as wide."""
MAX_TILT_DEGREES: Final = 1.0
"""Largest angle between the axes of the grid and of the scanner. The axes of an atlas have none; oblique slices of a
scanner are tilted by 5 degrees and more."""


@dataclass(frozen=True)
class PreparedDecision:
    """Whether the images of a patient are prepared already.

    Attributes:
        prepared: whether they can be segmented as they are.
        reasons: why not, each one a clause without a full stop; empty if they are prepared.
    """

    prepared: bool
    reasons: tuple[Message, ...]


@dataclass(frozen=True, eq=False)
class _ImageGrid:
    """The grid of an image, without the channels of a 4D file."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]


def preparation_need(paths: Mapping[str, Path], task: Task, max_voxels: int = DEFAULT_MAX_VOXELS) -> PreparedDecision:
    """Decide whether the images of a patient are prepared: one grid, and the brain alone.

    Thick or tilted slices alone are no reason: a model may have been trained on such images. They are named beside
    other reasons.

    Reads the headers of all images and, if they have one grid, the voxels of one image. Whether the other images show
    the brain alone is left to their validation. A file that cannot be read decides nothing:
    whichever way its patient goes, that file is reported there.

    Args:
        paths: NIfTI file of each channel that the patient has; channels of a 4D file share its path.
        task: task of the images.
        max_voxels: largest number of voxels of a volume that is read.

    Returns:
        The decision. A patient without any readable image is not prepared.

    Raises:
        OSError: a transient error of the machine, which does not concern the files.
    """
    grids = _read_grids(paths, task)
    if not grids:
        return PreparedDecision(prepared=False, reasons=("no image can be read",))
    reasons = _grid_reasons(grids, task) or _head_reasons(paths, task, max_voxels)
    return PreparedDecision(not reasons, (*reasons, *(_voxel_reasons(grids, task) if reasons else ())))


def _read_grids(paths: Mapping[str, Path], task: Task) -> dict[str, _ImageGrid]:
    """Return the grid of each channel whose header can be read."""
    grids = {}
    for channel in task.channels_among(paths):
        if header := _read_header(paths[channel]):
            grids[channel] = _ImageGrid(header.shape[:3], header.orientation.affine)
    return grids


def _read_header(path: Path) -> NiftiHeader | None:
    """Return the header of an image; None if the file cannot be read."""
    try:
        return read_volume_header(path) if path.is_file() else None
    except VolumeError:
        return None
    except OSError as error:
        if is_transient(error):
            raise
        return None


def _grid_reasons(grids: Mapping[str, _ImageGrid], task: Task) -> list[Message]:
    """Return whether the images have different grids."""
    titles, reference = task.channel_titles, reference_channel(grids)
    others = [titles[channel] for channel in grids if not same_grid(grids[channel], grids[reference])]
    return [f"{format_list([*others, titles[reference]])} have different grids"] if others else []


def _voxel_reasons(grids: Mapping[str, _ImageGrid], task: Task) -> list[Message]:
    """Return how the voxels differ from those of an atlas."""
    reference = reference_channel(grids)
    affine, title = grids[reference].affine, task.channel_titles[reference]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    reasons = []
    if spacing.max() > MAX_EDGE_RATIO * spacing.min():
        reasons.append(f"the voxels of {title} are {format_spacing(spacing.tolist())}, not cubes")
    tilt = float(np.degrees(np.arccos(np.clip(np.abs(affine[:3, :3] / spacing).max(axis=0).min(), 0, 1))))
    if tilt > MAX_TILT_DEGREES:
        reasons.append(f"the slices of {title} are tilted by {tilt:.0f} degrees against the axes of the scanner")
    return reasons


def _head_reasons(paths: Mapping[str, Path], task: Task, max_voxels: int) -> list[Message]:
    """Return why the first image whose voxels can be read does not show the brain alone."""
    for channel in task.channels:
        if channel.name in paths:
            with suppress(VolumeError):
                volume = read_volume(paths[channel.name], max_voxels).channel(channel.volume)
                if extracted_background(volume) is None:
                    return [f"{channel.title} shows more than the brain: skull, scalp or the noise of air"]
                return []
    return []
