"""Random patches of normalised cases. Processes that simulate cases import this module, so it does not import torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from tumorseg.preprocessing.store import NormalisedCase, read_case_header, report_corrupted_case

ImageAndMask = tuple[NDArray[np.float16], NDArray[np.uint8]]


@dataclass(frozen=True)
class PatchSettings:
    """How patches are placed.

    Attributes:
        shape: voxels of a patch (X, Y, Z).
        foreground_fraction: probability of placing the patch around a labelled voxel.
        foreground_sampling: how this voxel is chosen. `label`: at random within a random label of the case, all labels
            being equally likely. `voxel`: at random among all labelled voxels.
    """

    shape: tuple[int, int, int]
    foreground_fraction: float = 0
    foreground_sampling: Literal["label", "voxel"] = "label"


def read_patch(path: Path, settings: PatchSettings, rng: np.random.Generator) -> ImageAndMask:
    """Read a random patch of a case and its mask.

    Along axes where the case is larger than the patch, the position is random; where it is smaller, the case is centred
    and padded with background (0). Only the voxels of the patch are read from disk; a patch around a labelled voxel
    needs the whole mask as well.

    Args:
        path: a normalised case.
        settings: size and placement of the patch.
        rng: the source of all random numbers.

    Returns:
        Image, float16 (channels, X, Y, Z), and mask, uint8 (X, Y, Z).

    Raises:
        UserError: the file is corrupted or belongs to another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        read_case_header(path, file)
        image, mask = file.get_slice("image"), file.get_slice("mask")
        position = _random_position(mask.get_shape(), lambda: file.get_tensor("mask"), settings, rng)
        return _cut(image, image.get_shape()[0], mask, settings.shape, position)


def cut_patch(case: NormalisedCase, settings: PatchSettings, rng: np.random.Generator) -> ImageAndMask:
    """Return a random patch of a case and its mask: the same one that `read_patch` reads from the file of the case.

    Args:
        case: the case.
        settings: size and placement of the patch.
        rng: the source of all random numbers.

    Returns:
        Image, float16 (channels, X, Y, Z), and mask, uint8 (X, Y, Z).
    """
    position = _random_position(case.mask.shape, lambda: case.mask, settings, rng)
    return _cut(case.image, len(case.image), case.mask, settings.shape, position)


@dataclass(frozen=True)
class _Position:
    """The voxels of a case that a patch shows, and where they are in the patch; a slice for each axis."""

    source: tuple[slice, ...]
    target: tuple[slice, ...]


def _random_position(
    sides: Sequence[int],
    read_mask: Callable[[], NDArray[np.uint8]],
    settings: PatchSettings,
    rng: np.random.Generator,
) -> _Position:
    """Return a random position. sides: of the case; read_mask: returns its whole mask, if that is needed."""
    centre = None
    if rng.random() < settings.foreground_fraction:
        centre = _random_labelled_voxel(read_mask(), rng, by_label=settings.foreground_sampling == "label")
    source, target = [], []
    for axis, (side, wanted) in enumerate(zip(sides, settings.shape, strict=True)):
        start = int(rng.integers(side - wanted + 1)) if side > wanted else 0
        if centre is not None:
            start = min(max(0, centre[axis] - wanted // 2), max(0, side - wanted))
        kept = min(side, wanted)
        source.append(slice(start, start + kept))
        before = (wanted - kept) // 2
        target.append(slice(before, before + kept))
    return _Position(tuple(source), tuple(target))


def _cut(image: Any, channels: int, mask: Any, shape: tuple[int, int, int], position: _Position) -> ImageAndMask:
    """Return the patch at a position. image, mask: arrays, or slices of a file, of which only the patch is read."""
    image_patch = np.zeros((channels, *shape), np.float16)
    image_patch[:, *position.target] = image[:, *position.source]
    mask_patch = np.zeros(shape, np.uint8)
    mask_patch[*position.target] = mask[*position.source]
    return image_patch, mask_patch


def _random_labelled_voxel(
    mask: NDArray[np.uint8], rng: np.random.Generator, *, by_label: bool
) -> tuple[int, ...] | None:
    """Return a random labelled voxel; None if the mask is empty. by_label: choose its label first."""
    candidates = np.flatnonzero(mask)
    if candidates.size == 0:
        return None
    if by_label:
        values = mask.reshape(-1)[candidates]
        candidates = candidates[values == rng.choice(np.unique(values))]
    return tuple(int(index) for index in np.unravel_index(rng.choice(candidates), mask.shape))
