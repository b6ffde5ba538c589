"""A 3D U-Net whose contracting path is made of residual blocks, as in nnU-Net's residual encoder presets.

Isensee et al. 2024 (arXiv:2404.09556); identity shortcuts after He et al. 2016 (arXiv:1512.03385).
"""

from typing import Final

from torch import Tensor, nn

from tumorseg.errors import Message
from tumorseg.network.architecture import Norm
from tumorseg.network.unet import UNet, normed_convolution

_BLOCKS: Final = (1, 3, 4, 6, 6, 6)
"""Residual blocks at each level of the contracting path, from the finest: those of nnU-Net's presets."""


class ResidualUNet(UNet):
    """A U-Net with residual blocks on the way down; the way up is that of the plain U-Net."""

    def encoder_level(self, level: int, before: int, width: int) -> nn.Module:
        """Residual blocks, after a convolution at the finest level. At the others the first may halve the grid."""
        norm, strided = self.architecture.norm, self.architecture.down_sampling == "stride"
        stem: list[nn.Module] = []
        if level == 0:
            stem, before = [*normed_convolution(before, width, norm), nn.ReLU(inplace=True)], width
        first = ResidualBlock(before, width, norm, stride=2 if strided and level > 0 else 1)
        return nn.Sequential(*stem, first, *(ResidualBlock(width, width, norm) for _ in range(_BLOCKS[level] - 1)))

    def down_sampling(self, width: int) -> nn.Module:  # noqa: ARG002
        """Max pooling; nothing where the blocks themselves halve the grid."""
        return nn.Identity() if self.architecture.down_sampling == "stride" else nn.MaxPool3d(2)

    def describe(self) -> Message:
        """Return what kind of network this is, in one sentence with a reference."""
        blocks = ", ".join(map(str, _BLOCKS[: self.architecture.depth + 1]))
        return (
            f"a 3D U-Net with {blocks} residual blocks at the levels of its contracting path, from the finest, and two "
            "3x3x3 convolutions at those of its expanding path, after Isensee et al. 2024 (arXiv:2404.09556)"
        )


class ResidualBlock(nn.Module):
    """Two 3x3x3 convolutions with norms, added to their input; then ReLU.

    (B, before, X, Y, Z) to (B, width, X/stride, …). Where the shapes differ, a convolution of `stride` voxels and a
    norm bring the input to that of the result. (nnU-Net has average pooling and a 1x1x1 convolution there. Torch's
    average pooling has no deterministic gradient on a GPU.)
    """

    def __init__(self, before: int, width: int, norm: Norm, *, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *normed_convolution(before, width, norm, stride=stride),
            nn.ReLU(inplace=True),
            *normed_convolution(width, width, norm),
        )
        changed = stride > 1 or before != width
        self.shortcut = nn.Sequential(
            *(normed_convolution(before, width, norm, side=stride, stride=stride) if changed else ())
        )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """The sum of the convolutions' result and the shortcut's, after ReLU."""
        result: Tensor = self.activation(self.body(features) + self.shortcut(features))
        return result
