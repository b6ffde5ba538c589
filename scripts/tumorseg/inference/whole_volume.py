"""Apply a network to a whole volume: padding, logits, probabilities and mask; fused batch norms and peak memory.

Validation during training and prediction share this code, so equal weights give equal masks in both.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build_without_weights
from tumorseg.networks.memory import OVERHEAD_BYTES, PeakMemoryTracker


@dataclass(frozen=True, eq=False)
class PaddedImage:
    """An image padded with background.

    Attributes:
        images: float16 (1, channels, X, Y, Z). The sides are multiples of the network's divisor.
        inside: slices along X, Y and Z that contain the image.
    """

    images: Tensor
    inside: tuple[slice, ...]


def pad_image(image: NDArray[np.float16], start: Sequence[int], divisor: int) -> PaddedImage:
    """Return a normalised image padded with background at both ends of each axis.

    Down-sampling then uses the same voxels as on the whole grid, so the position of the crop hardly matters.

    Args:
        image: normalised image of any size, float16 (channels, x, y, z).
        start: first voxel of the image on the whole grid, see `preprocessing.crop.cropped_start`.
        divisor: divisor of the network, see `Network.divisor`.
    """
    before = [first % divisor for first in start]
    after = [-(first + side) % divisor for first, side in zip(before, image.shape[1:], strict=True)]
    widths = [width for pair in zip(before[::-1], after[::-1], strict=True) for width in pair]
    inside = tuple(slice(first, first + side) for first, side in zip(before, image.shape[1:], strict=True))
    return PaddedImage(pad(torch.from_numpy(image)[None], widths), inside)


def logits_of(network: Network, images: Tensor, execution: Execution) -> Tensor:
    """Return the logits of a network, float32 (1, classes, X, Y, Z), without gradients.

    Args:
        network: network on the execution's device, in evaluation mode.
        images: (1, channels, X, Y, Z), as `Execution.place` returns them.
        execution: defines the precision.
    """
    with torch.inference_mode(), execution.autocast():
        logits: Tensor = network(images)
        return logits.float()


def probabilities_of(logits: Tensor, unused_classes: Sequence[int]) -> Tensor:
    """Return the softmax over classes, (1, classes, X, Y, Z), with probability 0 for unused classes.

    Args:
        logits: (1, classes, X, Y, Z). Those of unused classes are overwritten.
        unused_classes: classes without a label.
    """
    with torch.inference_mode():
        for index in unused_classes:  # a list as index would be copied to a GPU, which the program would wait for
            logits[:, index].fill_(-torch.inf)
        return logits.softmax(dim=1)


def mask_of(probabilities: Tensor) -> NDArray[np.uint8]:
    """Return the most probable label of each voxel, uint8 (x, y, z); the smallest label if several are equal.

    Args:
        probabilities: (classes, x, y, z).
    """
    # `max` needs a quarter of the time of `argmax` on a CPU.
    mask: NDArray[np.uint8] = probabilities.max(dim=0).indices.to(torch.uint8).cpu().numpy()
    return mask


def fuse_batchnorm(network: Network) -> Network:
    """Return a copy in evaluation mode with each batch norm fused into the convolution before it.

    The logits differ by rounding errors only. Instance norms depend on the image and stay.

    Args:
        network: not changed.
    """
    copy = deepcopy(network).eval()
    for block in [module for module in copy.modules() if isinstance(module, nn.Sequential)]:
        for index, (convolution, norm) in enumerate(pairwise(list(block))):
            if isinstance(convolution, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d | nn.SyncBatchNorm):
                block[index] = fuse_conv_bn_eval(convolution, norm)
                block[index + 1] = nn.Identity()
    return copy


def forward_bytes(architecture: Architecture, sides: Sequence[int], dtype: torch.dtype) -> int:
    """Return the peak memory in bytes of a forward pass without gradients.

    Runs it on torch's meta device, where tensors have shapes but no content.

    Args:
        architecture: description of the network.
        sides: voxels of the volume along X, Y and Z, multiples of the network's divisor.
        dtype: dtype of the activations.
    """
    with torch.device("meta"):
        network = fuse_batchnorm(build_without_weights(architecture)).to(dtype)
    tracker = PeakMemoryTracker()
    with tracker, torch.device("meta"), torch.inference_mode():
        images = torch.zeros(1, architecture.channels, *sides, dtype=dtype)
        network(images.contiguous(memory_format=torch.channels_last_3d))
    weights = sum(parameter.numel() for parameter in network.parameters())
    return int(tracker.peak_bytes + 4 * weights + OVERHEAD_BYTES)
