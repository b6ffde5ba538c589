"""Build the networks that `model.name` of the configuration may select."""

from typing import Final

import torch

from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.unet import ResidualUNet, UNet

NETWORKS: Final[dict[str, type[Network]]] = {
    "unet": UNet,
    "residual_unet": ResidualUNet,
}


def build(architecture: Architecture) -> Network:
    """Build a network on the CPU, in the memory format that is fastest for 3D convolutions (channels last)."""
    network: Network = NETWORKS[architecture.name](architecture).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return network


def build_without_weights(architecture: Architecture) -> Network:
    """Build a network on torch's meta device, where tensors have shapes but no content."""
    with torch.device("meta"):
        return NETWORKS[architecture.name](architecture)
