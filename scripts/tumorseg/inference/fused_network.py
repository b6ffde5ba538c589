"""The network for prediction: batch norms fused into convolutions, and the peak memory of the forward pass."""

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.memory import OVERHEAD_BYTES, PeakMemoryTracker
from tumorseg.networks.registry import build_without_weights


def fuse_batchnorm(network: Network) -> Network:
    """Return a copy in evaluation mode with each batch norm fused into the convolution before it.

    The logits differ by rounding errors only. Instance norms depend on the image and stay.

    Args:
        network: stays as it is.
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

    Args:
        architecture: describes the network.
        sides: voxels of the volume along X, Y and Z, multiples of the network's divisor.
        dtype: type of the activations.
    """
    with torch.device("meta"):
        network = fuse_batchnorm(build_without_weights(architecture)).to(dtype)
    tracker = PeakMemoryTracker()
    with tracker, torch.device("meta"), torch.inference_mode():
        images = torch.zeros(1, architecture.channels, *sides, dtype=dtype)
        network(images.contiguous(memory_format=torch.channels_last_3d))
    weights = sum(parameter.numel() for parameter in network.parameters())
    return int(tracker.peak_bytes + 4 * weights + OVERHEAD_BYTES)
