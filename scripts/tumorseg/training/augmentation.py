"""Random augmentation of training patches, on the device where the network trains.

Transforms and their ranges are those of nnU-Net (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z, supplement).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

Transform = Callable[[Tensor, Tensor, np.random.Generator], tuple[Tensor, Tensor]]
"""Maps an image, float32 (C, X, Y, Z), and its mask, int64 (X, Y, Z), to new ones of the same shapes."""

AUGMENTATIONS: Final[dict[str, Transform]] = {}
"""The transforms that `training.augmentation` may name, in the order in which they are applied."""
_PROBABILITY: Final = 0.2
"""Probability of each transform for each patch. Flips have one half for each axis."""


def register_augmentation(name: str) -> Callable[[Transform], Transform]:
    """Return a decorator that registers a transform under its name in the configuration."""

    def register(change: Transform) -> Transform:
        AUGMENTATIONS[name] = change
        return change

    return register


def augment(
    images: Tensor, masks: Tensor, names: Sequence[str], rngs: Iterable[np.random.Generator]
) -> tuple[Tensor, Tensor]:
    """Augment the images and masks of a batch.

    The transforms follow the order of `AUGMENTATIONS`, whatever the order of `names`. Background, where an image is
    0, stays 0.

    Args:
        images: float32 (B, C, X, Y, Z).
        masks: int64 (B, X, Y, Z).
        names: the transforms to apply, keys of `AUGMENTATIONS`.
        rngs: a generator for each image. All its random numbers, including noise, come from this generator, so the
            result depends neither on the device nor on the rest of the batch.

    Returns:
        Augmented images and masks, of the same shapes and dtypes.
    """
    if not names:
        return images, masks
    images, masks = images.clone(), masks.clone()  # clone keeps the memory format
    for image, mask, rng in zip(images, masks, rngs, strict=True):
        changed, labels = image, mask
        for name, transform in AUGMENTATIONS.items():
            if name in names:
                changed, labels = transform(changed, labels, rng)
        image.copy_(changed)
        mask.copy_(labels)
    return images, masks


def drop_channels(images: Tensor, probability: float, rngs: Iterable[np.random.Generator]) -> Tensor:
    """Replace random channels by background, as if they had not been scanned.

    At least one channel that an image has stays. A channel that is 0 everywhere is one that it lacks.

    Args:
        images: float32 (B, C, X, Y, Z).
        probability: of each channel of each image.
        rngs: a generator for each image; not used if the probability is 0.

    Returns:
        The images, of the same shape.
    """
    if not probability:
        return images
    channels = images.shape[1]
    kept = torch.ones(images.shape[:2], device=images.device)
    present = (images != 0).flatten(2).any(dim=2).cpu().numpy()
    for index, rng in enumerate(rngs):
        dropped, stays = rng.random(channels) < probability, int(rng.integers(channels))
        existing = np.flatnonzero(present[index])
        if existing.size and dropped[existing].all():
            dropped[existing[stays % existing.size]] = False
        kept[index] = torch.from_numpy(~dropped)
    return images * kept[:, :, None, None, None]


@register_augmentation("affine")
def _rotate_and_scale(image: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rotate by up to 30 degrees around each axis and scale by 0.7 to 1.4; fill with background."""
    if rng.random() >= _PROBABILITY:
        return image, mask
    matrix = np.eye(3) / rng.uniform(0.7, 1.4)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        angle = math.radians(rng.uniform(-30, 30))
        rotation = np.eye(3)
        rotation[first, first] = rotation[second, second] = math.cos(angle)
        rotation[first, second], rotation[second, first] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ rotation
    # affine_grid's coordinates run from -1 to 1 along each side, in the order z, y, x: scale to keep voxels isotropic.
    sides = np.array(image.shape[:0:-1], float)
    matrix = matrix * sides / sides[:, None]
    theta = torch.from_numpy(np.hstack([matrix, np.zeros((3, 1))])).to(image)[None]
    grid = affine_grid(theta, [1, 1, *mask.shape], align_corners=False)
    resampled = grid_sample(image[None], grid, mode="bilinear", align_corners=False)[0]
    labels = grid_sample(mask[None, None].to(image), grid, mode="nearest", align_corners=False)[0, 0]
    return resampled, labels.long()


@register_augmentation("flip")
def _flip(image: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    axes = [axis for axis in (1, 2, 3) if rng.random() < 0.5]
    return image.flip(axes), mask.flip([axis - 1 for axis in axes])


def _intensity_transform(change: Callable[[Tensor, np.random.Generator], Tensor]) -> Transform:
    """Return a transform that applies `change` to each channel (X, Y, Z), but to neither background nor mask."""

    def transform(image: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        if rng.random() >= _PROBABILITY:
            return image, mask
        return torch.stack([torch.where(channel != 0, change(channel, rng), channel) for channel in image]), mask

    return transform


@register_augmentation("noise")
@_intensity_transform
def _add_noise(channel: Tensor, rng: np.random.Generator) -> Tensor:
    # Drawn on the CPU, for the same noise on all devices; torch is faster than NumPy here.
    noise = torch.randn(channel.shape, generator=torch.Generator().manual_seed(int(rng.integers(2**63))))
    return channel + math.sqrt(rng.uniform(0, 0.1)) * noise.to(channel.device)


@register_augmentation("brightness")
@_intensity_transform
def _scale_brightness(channel: Tensor, rng: np.random.Generator) -> Tensor:
    return channel * rng.uniform(0.75, 1.25)


@register_augmentation("contrast")
@_intensity_transform
def _scale_contrast(channel: Tensor, rng: np.random.Generator) -> Tensor:
    """Scale the contrast around the mean; clamp to the original range."""
    mean = channel.mean()
    return ((channel - mean) * rng.uniform(0.75, 1.25) + mean).clamp(channel.min(), channel.max())


@register_augmentation("gamma")
@_intensity_transform
def _change_gamma(channel: Tensor, rng: np.random.Generator) -> Tensor:
    """Raise the intensities, scaled to 0 to 1, to a random power, and scale them back."""
    low, spread = channel.min(), (channel.max() - channel.min()).clamp(min=1e-6)
    return ((channel - low) / spread) ** rng.uniform(0.7, 1.5) * spread + low
