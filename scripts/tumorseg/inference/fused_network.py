"""The network for prediction: batch norms fused into the convolutions, and the peak memory of its forward pass."""

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
    """A copy in evaluation mode whose batch norms are part of the convolutions before them, see `Network`.

    Its logits differ by rounding only. Instance norm depends on the image, so that it stays.
    """
    copy = deepcopy(network).eval()
    for block in [module for module in copy.modules() if isinstance(module, nn.Sequential)]:
        for index, (convolution, norm) in enumerate(pairwise(list(block))):
            if isinstance(convolution, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d | nn.SyncBatchNorm):
                block[index] = fuse_conv_bn_eval(convolution, norm)
                block[index + 1] = nn.Identity()
    return copy


def forward_bytes(architecture: Architecture, sides: Sequence[int], dtype: torch.dtype) -> int:
    """Bytes that a network for prediction takes at its peak on a volume of `sides` voxels, multiples of its divisor.

    dtype: that of the network's inner results.
    """
    with torch.device("meta"):
        network = fuse_batchnorm(build_without_weights(architecture)).to(dtype)
    ledger = PeakMemoryTracker()
    with ledger, torch.device("meta"), torch.inference_mode():
        images = torch.zeros(1, architecture.channels, *sides, dtype=dtype)
        network(images.contiguous(memory_format=torch.channels_last_3d))
    weights = sum(parameter.numel() for parameter in network.parameters())
    return int(ledger.peak + 4 * weights + OVERHEAD_BYTES)
