"""What a network is built from."""

from dataclasses import dataclass
from typing import Literal

Norm = Literal["batch", "instance"]


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build a network.

    base_channels: channels of the first level, doubled at each next one. classes: of the output, background included.
    channels: of the input. name: one of `registry.NETWORKS`. depth: how many times each side is halved. norm: over the
    batch or each image by itself. down_sampling: by max pooling or by a strided 2x2x2 convolution. deep_supervision:
    the coarser levels of the expanding path have outputs too, in training.
    """

    base_channels: int
    classes: int
    channels: int
    name: str = "unet"
    depth: int = 3
    norm: Norm = "batch"
    down_sampling: Literal["pool", "stride"] = "pool"
    deep_supervision: bool = False
