"""A 3D U-Net: a contracting path, an expanding path, and a skip connection at each level.

After Ronneberger et al. 2015 (arXiv:1505.04597) and Çiçek et al. 2016 (arXiv:1606.06650).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from tumorseg.labels import CLASSES, MODALITIES
from tumorseg.network.recomputation import checkpointed

DOWN_SAMPLINGS = 3
DIVISOR = 2**DOWN_SAMPLINGS
"""Each side of the input has to be a multiple of this."""


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build the network.

    base_channels: channels of the first level, doubled at each next one. norm: over the batch or each image by itself.
    down_sampling: by max pooling or by a strided 2x2x2 convolution. deep_supervision: the coarser levels of the
    expanding path answer too, in training.
    """

    base_channels: int
    norm: Literal["batch", "instance"] = "batch"
    down_sampling: Literal["pool", "stride"] = "pool"
    deep_supervision: bool = False
    classes: int = CLASSES
    modalities: int = len(MODALITIES)


class UNet(nn.Module):
    """Logits (B, classes, X, Y, Z) of images (B, modalities, X, Y, Z), where X, Y and Z are multiples of 8.

    `gradient_checkpointing`, off at first: keep only what goes between the blocks in training, and compute the rest
    again for the gradient, which takes more time and less memory, and gives the same bits.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.gradient_checkpointing = False
        widths = [architecture.base_channels * 2**level for level in range(DOWN_SAMPLINGS + 1)]
        self.encoder = nn.ModuleList(
            ConvolutionBlock(before, width, architecture.norm)
            for before, width in zip([architecture.modalities, *widths], widths, strict=False)
        )
        self.down = nn.ModuleList(
            nn.Conv3d(width, width, kernel_size=2, stride=2)
            if architecture.down_sampling == "stride"
            else nn.MaxPool3d(2)
            for width in widths[:-1]
        )
        self.decoder = nn.ModuleList(
            Expansion(below, width, architecture.norm)
            for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        answering = widths[:-1] if architecture.deep_supervision else widths[:1]  # finest first
        self.heads = nn.ModuleList(nn.Conv3d(width, architecture.classes, kernel_size=1) for width in answering)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        logits: Tensor = self.heads[0](self._features(images)[0])
        return logits

    def levels(self, images: Tensor) -> list[Tensor]:
        """The logits, and with deep supervision those of the coarser levels: (B, classes, X/2^n, Y/2^n, Z/2^n)."""
        return [head(features) for head, features in zip(self.heads, self._features(images), strict=False)]

    def _features(self, images: Tensor) -> list[Tensor]:
        """What the levels of the expanding path make of a batch of images, finest first."""
        skips: list[Tensor] = []
        features = images
        for level, block in enumerate(self.encoder):
            below = features if level == 0 else self.down[level - 1](features)
            features = self._run(block, below)  # (B, base·2^level, X/2^level, …)
            skips.append(features)
        expanded: list[Tensor] = []
        for expansion, skip in zip(self.decoder, skips[-2::-1], strict=True):
            features = self._run(expansion, features, skip)
            expanded.append(features)
        return expanded[::-1]

    def _run(self, part: nn.Module, *inputs: Tensor) -> Tensor:
        result: Tensor = checkpointed(part, *inputs) if self.gradient_checkpointing and self.training else part(*inputs)
        return result


class ConvolutionBlock(nn.Sequential):
    """Twice: 3x3x3 convolution, norm, ReLU. (B, before, X, Y, Z) to (B, width, X, Y, Z)."""

    def __init__(self, before: int, width: int, norm: Literal["batch", "instance"]) -> None:
        layers: list[nn.Module] = []
        for channels in (before, width):
            # The norm that follows has a shift of its own, so the convolution needs no bias.
            layers += [
                nn.Conv3d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm3d(width) if norm == "batch" else nn.InstanceNorm3d(width, affine=True),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)


class Expansion(nn.Module):
    """Doubles the grid of what comes from below, joins the skip connection, and convolves both."""

    def __init__(self, below: int, width: int, norm: Literal["batch", "instance"]) -> None:
        super().__init__()
        self.up = nn.ConvTranspose3d(below, width, kernel_size=2, stride=2)
        self.block = ConvolutionBlock(2 * width, width, norm)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """(B, below, x, y, z) and (B, width, 2x, 2y, 2z) to (B, width, 2x, 2y, 2z)."""
        joined = torch.cat([self.up(features), skip], dim=1)
        for layer in self.block:  # one by one, so that without gradients `joined` goes as soon as it is used
            joined = layer(joined)
        return joined


def build(architecture: Architecture) -> UNet:
    """A network in the memory format in which 3D convolutions are fastest (channels last), on the CPU."""
    network: UNet = UNet(architecture).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return network
