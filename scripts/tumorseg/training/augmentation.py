"""Other views of the same patches, drawn at random, on the device where the network trains.

Kinds and ranges are those of nnU-Net (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z, supplement).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

Kind = Literal["flip", "affine", "gamma", "brightness", "contrast", "noise"]

_CHANCE: Final = 0.2
"""Of each kind, for each patch; flips have one half, for each axis."""


def augment(
    images: Tensor, masks: Tensor, kinds: Sequence[Kind], rngs: Iterable[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Images (B, C, X, Y, Z), float32, and masks (B, X, Y, Z), int64, changed in the ways of `kinds`.

    Every draw for an image comes from its own of `rngs`, noise too, so that all devices see the same, and any share of
    a batch too. Background, where an image is 0, stays 0.
    """
    if not kinds:
        return images, masks
    images, masks = images.clone(), masks.clone()  # which keeps the memory format
    for image, mask, rng in zip(images, masks, rngs, strict=True):
        changed, labels = _changed(image, mask, kinds, rng)
        image.copy_(changed)
        mask.copy_(labels)
    return images, masks


def _changed(image: Tensor, mask: Tensor, kinds: Sequence[Kind], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One patch; in a fixed order of kinds, whatever theirs in the configuration."""
    if "affine" in kinds and rng.random() < _CHANCE:
        image, mask = _turned(image, mask, rng)
    if "flip" in kinds:
        axes = [axis for axis in (1, 2, 3) if rng.random() < 0.5]
        image, mask = image.flip(axes), mask.flip([axis - 1 for axis in axes])
    for kind, change in _INTENSITIES.items():
        if kind in kinds and rng.random() < _CHANCE:
            image = torch.stack([torch.where(channel != 0, change(channel, rng), channel) for channel in image])
    return image, mask


def _turned(image: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rotated by up to 30 degrees around each axis and scaled by 0.7 to 1.4; what comes from outside is background."""
    matrix = np.eye(3) / rng.uniform(0.7, 1.4)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        angle = math.radians(rng.uniform(-30, 30))
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ turn
    # The sampling grid counts from -1 to 1 along each side, z first in its last axis: sides differ, voxels do not.
    sides = np.array(image.shape[:0:-1], float)
    matrix = matrix * sides / sides[:, None]
    theta = torch.from_numpy(np.hstack([matrix, np.zeros((3, 1))])).to(image)[None]
    grid = affine_grid(theta, [1, 1, *mask.shape], align_corners=False)
    turned = grid_sample(image[None], grid, mode="bilinear", align_corners=False)[0]
    labels = grid_sample(mask[None, None].to(image), grid, mode="nearest", align_corners=False)[0, 0]
    return turned, labels.long()


def _brighter(channel: Tensor, rng: np.random.Generator) -> Tensor:
    return channel * rng.uniform(0.75, 1.25)


def _contrasted(channel: Tensor, rng: np.random.Generator) -> Tensor:
    """Spread around the mean, within the range that was there."""
    mean = channel.mean()
    return ((channel - mean) * rng.uniform(0.75, 1.25) + mean).clamp(channel.min(), channel.max())


def _gamma(channel: Tensor, rng: np.random.Generator) -> Tensor:
    """A power of the intensities, which are brought to 0 to 1 for it and back."""
    low, spread = channel.min(), (channel.max() - channel.min()).clamp(min=1e-6)
    return ((channel - low) / spread) ** rng.uniform(0.7, 1.5) * spread + low


def _noisy(channel: Tensor, rng: np.random.Generator) -> Tensor:
    # On the CPU, for the same noise on all devices, and by torch, which is faster there than NumPy.
    noise = torch.randn(channel.shape, generator=torch.Generator().manual_seed(int(rng.integers(2**63))))
    return channel + math.sqrt(rng.uniform(0, 0.1)) * noise.to(channel.device)


_INTENSITIES: Final[dict[Kind, Callable[[Tensor, np.random.Generator], Tensor]]] = {
    "noise": _noisy,
    "brightness": _brighter,
    "contrast": _contrasted,
    "gamma": _gamma,
}
