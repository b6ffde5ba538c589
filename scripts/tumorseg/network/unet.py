"""A 3D U-Net: a contracting path, an expanding path, and a skip connection at each level.

After Ronneberger et al. 2015 (arXiv:1505.04597) and Çiçek et al. 2016 (arXiv:1606.06650).
"""

import torch
from torch import Tensor, nn

from tumorseg.errors import Message
from tumorseg.network.architecture import Architecture, Norm
from tumorseg.network.protocol import Network
from tumorseg.network.recomputation import checkpointed


class UNet(Network):
    """See `Network`. With gradient checkpointing, only what goes between the blocks is kept in training."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        widths = [architecture.base_channels * 2**level for level in range(architecture.depth + 1)]
        before = [architecture.channels, *widths]
        self.encoder = nn.ModuleList(
            self.encoder_level(level, before[level], width) for level, width in enumerate(widths)
        )
        self.down = nn.ModuleList(self.down_sampling(width) for width in widths[:-1])
        self.decoder = nn.ModuleList(
            Expansion(below, width, architecture.norm)
            for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        answering = widths[:-1] if architecture.deep_supervision else widths[:1]  # finest first
        self.heads = nn.ModuleList(nn.Conv3d(width, architecture.classes, kernel_size=1) for width in answering)

    def encoder_level(self, level: int, before: int, width: int) -> nn.Module:  # noqa: ARG002 (for other encoders)
        """A level of the contracting path: (B, before, x, y, z) to (B, width, x, y, z)."""
        return ConvolutionBlock(before, width, self.architecture.norm)

    def down_sampling(self, width: int) -> nn.Module:
        """What halves the grid between two levels of the contracting path."""
        strided = self.architecture.down_sampling == "stride"
        return nn.Conv3d(width, width, kernel_size=2, stride=2) if strided else nn.MaxPool3d(2)

    def describe(self) -> Message:
        """Return what kind of network this is, in one sentence with a reference."""
        return "a 3D U-Net with two 3x3x3 convolutions at each level, after Çiçek et al. 2016 (arXiv:1606.06650)"

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        logits: Tensor = self.heads[0](self._features(images)[0])
        return logits

    def levels(self, images: Tensor) -> list[Tensor]:
        """The logits, and with deep supervision those of the coarser levels."""
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

    def __init__(self, before: int, width: int, norm: Norm) -> None:
        layers: list[nn.Module] = []
        for channels in (before, width):
            layers += [*normed_convolution(channels, width, norm), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class Expansion(nn.Module):
    """Doubles the grid of what comes from below, joins the skip connection, and convolves both."""

    def __init__(self, below: int, width: int, norm: Norm) -> None:
        super().__init__()
        self.up = nn.ConvTranspose3d(below, width, kernel_size=2, stride=2)
        self.block = ConvolutionBlock(2 * width, width, norm)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """(B, below, x, y, z) and (B, width, 2x, 2y, 2z) to (B, width, 2x, 2y, 2z)."""
        joined = torch.cat([self.up(features), skip], dim=1)
        for layer in self.block:  # one by one, so that without gradients `joined` goes as soon as it is used
            joined = layer(joined)
        return joined


def normed_convolution(before: int, width: int, norm: Norm, *, side: int = 3, stride: int = 1) -> list[nn.Module]:
    """A convolution of `side` voxels and the norm after it, which has a shift of its own: no bias is needed."""
    return [
        nn.Conv3d(before, width, side, stride=stride, padding=(side - 1) // 2, bias=False),
        nn.BatchNorm3d(width) if norm == "batch" else nn.InstanceNorm3d(width, affine=True),
    ]
