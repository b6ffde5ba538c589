"""The networks, by the name that `model.name` of the configuration gives them."""

from typing import Final

import torch

from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.unet import ResidualUNet, UNet

NETWORKS: Final[dict[str, type[Network]]] = {
    "unet": UNet,
    "residual_unet": ResidualUNet,
}


def build(architecture: Architecture) -> Network:
    """A network in the memory format in which 3D convolutions are fastest (channels last), on the CPU."""
    network: Network = NETWORKS[architecture.name](architecture).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return network


def build_without_weights(architecture: Architecture) -> Network:
    """A network on torch's meta device, where tensors have shapes and no content."""
    with torch.device("meta"):
        return NETWORKS[architecture.name](architecture)
