"""A network over a whole volume: padding, logits, probabilities and mask.

Validation during training and prediction both go this way, so that they find the same mask for the same weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution


@dataclass(frozen=True, eq=False)
class PaddedImage:
    """An image with background around it.

    images: float16 (1, channels, X, Y, Z), whose sides are multiples of the network's divisor. inside: the slices along
    X, Y and Z where the image lies.
    """

    images: Tensor
    inside: tuple[slice, ...]


def pad_image(image: NDArray[np.float16], start: Sequence[int], divisor: int) -> PaddedImage:
    """Return a normalised image with background before and after it.

    The down-samplings then fall as they would over the whole grid, so that where an image is cropped hardly matters.

    Args:
        image: float16 (channels, x, y, z), of any size.
        start: the image's first voxel on the whole grid, see `normalise.crop.cropped_start`.
        divisor: of the network, see `Network.divisor`.
    """
    before = [first % divisor for first in start]
    after = [-(first + side) % divisor for first, side in zip(before, image.shape[1:], strict=True)]
    around = [width for pair in zip(before[::-1], after[::-1], strict=True) for width in pair]
    inside = tuple(slice(first, first + side) for first, side in zip(before, image.shape[1:], strict=True))
    return PaddedImage(pad(torch.from_numpy(image)[None], around), inside)


def logits_of(network: Network, images: Tensor, execution: Execution) -> Tensor:
    """Return the logits, float32 (1, classes, X, Y, Z), without gradients.

    Args:
        network: on the execution's device, in evaluation mode.
        images: (1, channels, X, Y, Z), as `Execution.place` returns them.
        execution: precision in which the network computes.
    """
    with torch.inference_mode(), execution.autocast():
        logits: Tensor = network(images)
        return logits.float()


def probabilities_of(logits: Tensor, unused_classes: Sequence[int]) -> Tensor:
    """Return the softmax over the classes of logits, (1, classes, X, Y, Z); 0 for the classes that no voxel has.

    Overwrites the logits of these classes.
    """
    with torch.inference_mode():
        logits[:, list(unused_classes)] = -torch.inf
        return logits.softmax(dim=1)


def mask_of(probabilities: Tensor) -> NDArray[np.uint8]:
    """Return the most probable label of each voxel, (x, y, z), from (classes, x, y, z); of equals the first."""
    # On a CPU in a quarter of the time of `argmax`.
    mask: NDArray[np.uint8] = probabilities.max(dim=0).indices.to(torch.uint8).cpu().numpy()
    return mask
