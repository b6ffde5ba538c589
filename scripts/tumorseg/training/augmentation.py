"""Other views of the same patches, drawn at random, on the device where the network trains.

Kinds and ranges are those of nnU-Net (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z, supplement).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

Transform = Callable[[Tensor, Tensor, np.random.Generator], tuple[Tensor, Tensor]]
"""From an image (C, X, Y, Z), float32, and its mask (X, Y, Z), int64, to others of the same shapes."""

AUGMENTATIONS: Final[dict[str, Transform]] = {}
"""What `training.augmentation` may name, in the order in which patches are changed: that of this file."""
_PROBABILITY: Final = 0.2
"""Of each kind, for each patch; flips have one half, for each axis."""


def register_augmentation(name: str) -> Callable[[Transform], Transform]:
    """Register a change of patches under the name that the configuration gives it."""

    def register(change: Transform) -> Transform:
        AUGMENTATIONS[name] = change
        return change

    return register


def augment(
    images: Tensor, masks: Tensor, names: Sequence[str], rngs: Iterable[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Images (B, C, X, Y, Z), float32, and masks (B, X, Y, Z), int64, changed in the ways of `kinds`.

    Every draw for an image comes from its own of `rngs`, noise too, so that all devices see the same, and any share of
    a batch too. Background, where an image is 0, stays 0.
    """
    if not names:
        return images, masks
    images, masks = images.clone(), masks.clone()  # which keeps the memory format
    for image, mask, rng in zip(images, masks, rngs, strict=True):
        changed, labels = image, mask
        for name, change in AUGMENTATIONS.items():
            if name in names:
                changed, labels = change(changed, labels, rng)
        image.copy_(changed)
        mask.copy_(labels)
    return images, masks


@register_augmentation("affine")
def _rotate_and_scale(image: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rotated by up to 30 degrees around each axis and scaled by 0.7 to 1.4; what comes from outside is background."""
    if rng.random() >= _PROBABILITY:
        return image, mask
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


@register_augmentation("flip")
def _flip(image: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    axes = [axis for axis in (1, 2, 3) if rng.random() < 0.5]
    return image.flip(axes), mask.flip([axis - 1 for axis in axes])


def _intensity_transform(change: Callable[[Tensor, np.random.Generator], Tensor]) -> Transform:
    """A change of each channel (X, Y, Z) by itself that leaves its background and the mask as they are."""

    def changed(image: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        if rng.random() >= _PROBABILITY:
            return image, mask
        return torch.stack([torch.where(channel != 0, change(channel, rng), channel) for channel in image]), mask

    return changed


@register_augmentation("noise")
@_intensity_transform
def _add_noise(channel: Tensor, rng: np.random.Generator) -> Tensor:
    # On the CPU, for the same noise on all devices, and by torch, which is faster there than NumPy.
    noise = torch.randn(channel.shape, generator=torch.Generator().manual_seed(int(rng.integers(2**63))))
    return channel + math.sqrt(rng.uniform(0, 0.1)) * noise.to(channel.device)


@register_augmentation("brightness")
@_intensity_transform
def _scale_brightness(channel: Tensor, rng: np.random.Generator) -> Tensor:
    return channel * rng.uniform(0.75, 1.25)


@register_augmentation("contrast")
@_intensity_transform
def _scale_contrast(channel: Tensor, rng: np.random.Generator) -> Tensor:
    """Spread around the mean, within the range that was there."""
    mean = channel.mean()
    return ((channel - mean) * rng.uniform(0.75, 1.25) + mean).clamp(channel.min(), channel.max())


@register_augmentation("gamma")
@_intensity_transform
def _change_gamma(channel: Tensor, rng: np.random.Generator) -> Tensor:
    """A power of the intensities, which are brought to 0 to 1 for it and back."""
    low, spread = channel.min(), (channel.max() - channel.min()).clamp(min=1e-6)
    return ((channel - low) / spread) ** rng.uniform(0.7, 1.5) * spread + low
