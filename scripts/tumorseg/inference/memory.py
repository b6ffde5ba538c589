"""How much memory a prediction takes at its peak, found out before it is made."""

from collections.abc import Sequence

import torch

from tumorseg.inference.folding import folded
from tumorseg.network.architecture import Architecture
from tumorseg.network.memory import OVERHEAD, Ledger
from tumorseg.network.registry import build_without_weights


def forward_bytes(architecture: Architecture, sides: Sequence[int], dtype: torch.dtype) -> int:
    """Bytes that a network for prediction takes at its peak on a volume of `sides` voxels, multiples of its divisor.

    dtype: that of the network's inner results.
    """
    with torch.device("meta"):
        network = folded(build_without_weights(architecture)).to(dtype)
    ledger = Ledger()
    with ledger, torch.device("meta"), torch.inference_mode():
        images = torch.zeros(1, architecture.channels, *sides, dtype=dtype)
        network(images.contiguous(memory_format=torch.channels_last_3d))
    weights = sum(parameter.numel() for parameter in network.parameters())
    return int(ledger.peak + 4 * weights + OVERHEAD)
