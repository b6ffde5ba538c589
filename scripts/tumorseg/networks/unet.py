"""3D U-Nets: plain, and with residual blocks in the encoder.

A U-Net has an encoder, a decoder, and a skip connection at each level: Ronneberger et al. 2015 (arXiv:1505.04597),
Çiçek et al. 2016 (arXiv:1606.06650). The residual encoder follows the presets of nnU-Net, Isensee et al. 2024
(arXiv:2404.09556), with the identity shortcuts of He et al. 2016 (arXiv:1512.03385).
"""

from typing import Final

import torch
from torch import Tensor, nn

from tumorseg.errors import Message
from tumorseg.networks.base import Architecture, Network, Norm, run_with_gradient_checkpointing


class UNet(Network):
    """A plain 3D U-Net.

    With gradient checkpointing, training keeps only the tensors between its blocks.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        widths = [architecture.base_channels * 2**level for level in range(architecture.depth + 1)]
        before = [architecture.channels, *widths]
        self.encoder = nn.ModuleList(
            self.encoder_level(level, before[level], width) for level, width in enumerate(widths)
        )
        self.down = nn.ModuleList(self.down_sampling(width) for width in widths[:-1])
        self.decoder = nn.ModuleList(
            DecoderBlock(below, width, architecture.norm)
            for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        with_output = widths[:-1] if architecture.deep_supervision else widths[:1]  # finest first
        self.heads = nn.ModuleList(nn.Conv3d(width, architecture.classes, kernel_size=1) for width in with_output)

    def encoder_level(self, level: int, in_channels: int, out_channels: int) -> nn.Module:  # noqa: ARG002 (for other encoders)
        """Return a new level of the encoder: (B, in_channels, x, y, z) to (B, out_channels, x, y, z).

        Args:
            level: number of the level, from 0, the finest.
            in_channels: channels of its input.
            out_channels: channels of its output.
        """
        return ConvolutionBlock(in_channels, out_channels, self.architecture.norm)

    def down_sampling(self, channels: int) -> nn.Module:
        """Return a new layer that halves the grid between two levels of the encoder."""
        strided = self.architecture.down_sampling == "stride"
        return nn.Conv3d(channels, channels, kernel_size=2, stride=2) if strided else nn.MaxPool3d(2)

    def describe(self) -> Message:
        """Return what kind of network this is, in one sentence with a reference."""
        return "a 3D U-Net with two 3x3x3 convolutions at each level, after Çiçek et al. 2016 (arXiv:1606.06650)"

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, (B, classes, X, Y, Z).

        Args:
            images: normalised images, (B, channels, X, Y, Z).
        """
        logits: Tensor = self.heads[0](self._features(images)[0])
        return logits

    def levels(self, images: Tensor) -> list[Tensor]:
        """Return the logits and, with deep supervision, those of coarser levels, finest first.

        Args:
            images: normalised images, (B, channels, X, Y, Z).

        Returns:
            Logits (B, classes, X/2^n, Y/2^n, Z/2^n) of the levels n = 0, 1, …
        """
        return [head(features) for head, features in zip(self.heads, self._features(images), strict=False)]

    def _features(self, images: Tensor) -> list[Tensor]:
        """Return the features (B, base·2^n, X/2^n, Y/2^n, Z/2^n) of each level n of the decoder, finest first."""
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
        result: Tensor = (
            run_with_gradient_checkpointing(part, *inputs)
            if self.gradient_checkpointing and self.training
            else part(*inputs)
        )
        return result


class ConvolutionBlock(nn.Sequential):
    """Two times 3x3x3 convolution, norm and ReLU: (B, in_channels, X, Y, Z) to (B, out_channels, X, Y, Z)."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        layers: list[nn.Module] = []
        for channels in (in_channels, out_channels):
            layers += [*normed_convolution(channels, out_channels, norm), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class DecoderBlock(nn.Module):
    """Up-samples the features of the level below, concatenates the skip connection, and convolves both."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__()
        self.up = nn.ConvTranspose3d(in_channels, out_channels, kernel_size=2, stride=2)
        self.block = ConvolutionBlock(2 * out_channels, out_channels, norm)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Return the features of this level of the decoder, (B, out_channels, 2x, 2y, 2z).

        Args:
            features: features of the level below, (B, in_channels, x, y, z).
            skip: features of the encoder at this level, (B, out_channels, 2x, 2y, 2z).
        """
        joined = torch.cat([self.up(features), skip], dim=1)
        for layer in self.block:  # layer by layer: without gradients, this frees the concatenation after its first use
            joined = layer(joined)
        return joined


def normed_convolution(
    in_channels: int, out_channels: int, norm: Norm, *, kernel_size: int = 3, stride: int = 1
) -> list[nn.Module]:
    """Return a convolution without bias and the norm after it, whose shift replaces the bias.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        norm: kind of norm.
        kernel_size: voxels of the kernel along each axis.
        stride: step of the kernel in voxels.
    """
    return [
        nn.Conv3d(in_channels, out_channels, kernel_size, stride=stride, padding=(kernel_size - 1) // 2, bias=False),
        nn.BatchNorm3d(out_channels) if norm == "batch" else nn.InstanceNorm3d(out_channels, affine=True),
    ]


_BLOCKS_PER_LEVEL: Final = (1, 3, 4, 6, 6, 6)
"""Residual blocks at each level of the encoder, from the finest, as in nnU-Net's presets."""


class ResidualUNet(UNet):
    """A U-Net with residual blocks in the encoder and the decoder of the plain U-Net."""

    def encoder_level(self, level: int, in_channels: int, out_channels: int) -> nn.Module:
        """Return a new level of the encoder, with residual blocks.

        The finest level begins with a convolution. At other levels, the first block halves the grid if the architecture
        uses strides.

        Args:
            level: number of the level, from 0, the finest.
            in_channels: channels of its input.
            out_channels: channels of its output.
        """
        norm, strided = self.architecture.norm, self.architecture.down_sampling == "stride"
        stem: list[nn.Module] = []
        if level == 0:
            stem, in_channels = (
                [*normed_convolution(in_channels, out_channels, norm), nn.ReLU(inplace=True)],
                out_channels,
            )
        first = ResidualBlock(in_channels, out_channels, norm, stride=2 if strided and level > 0 else 1)
        return nn.Sequential(
            *stem,
            first,
            *(ResidualBlock(out_channels, out_channels, norm) for _ in range(_BLOCKS_PER_LEVEL[level] - 1)),
        )

    def down_sampling(self, channels: int) -> nn.Module:  # noqa: ARG002
        """Return max pooling, or the identity if the blocks themselves halve the grid."""
        return nn.Identity() if self.architecture.down_sampling == "stride" else nn.MaxPool3d(2)

    def describe(self) -> Message:
        """Return what kind of network this is, in one sentence with a reference."""
        blocks = ", ".join(map(str, _BLOCKS_PER_LEVEL[: self.architecture.depth + 1]))
        return (
            f"a 3D U-Net with {blocks} residual blocks at the levels of its encoder, from the finest, and two 3x3x3 "
            "convolutions at each level of its decoder, after Isensee et al. 2024 (arXiv:2404.09556)"
        )


class ResidualBlock(nn.Module):
    """Two 3x3x3 convolutions with norms, added to their input; then ReLU.

    Maps (B, in_channels, X, Y, Z) to (B, out_channels, X/stride, Y/stride, Z/stride). If the shapes differ, a
    convolution of `stride` voxels and a norm adapt the input. nnU-Net uses average pooling and a 1x1x1 convolution
    instead, but torch's average pooling has no deterministic gradient on a GPU.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm, *, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *normed_convolution(in_channels, out_channels, norm, stride=stride),
            nn.ReLU(inplace=True),
            *normed_convolution(out_channels, out_channels, norm),
        )
        changed = stride > 1 or in_channels != out_channels
        self.shortcut = nn.Sequential(
            *(normed_convolution(in_channels, out_channels, norm, kernel_size=stride, stride=stride) if changed else ())
        )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Return ReLU of the sum of the convolutions and the shortcut.

        Args:
            features: (B, in_channels, X, Y, Z).

        Returns:
            (B, out_channels, X/stride, Y/stride, Z/stride).
        """
        result: Tensor = self.activation(self.body(features) + self.shortcut(features))
        return result
