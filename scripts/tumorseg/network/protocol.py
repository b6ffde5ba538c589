"""What every network does. All other code knows a network by this class alone."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from tumorseg.errors import Message
from tumorseg.network.architecture import Architecture


class Network(nn.Module, ABC):
    """Logits (B, classes, X, Y, Z) of images (B, channels, X, Y, Z) whose sides are multiples of `divisor`.

    A convolution that batch norm follows in a `Sequential` has no other use: for prediction the two become one layer.
    `gradient_checkpointing`, off at first: recompute parts of the network for the gradient instead of keeping their
    results, which saves memory, takes time and gives the same bits.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.gradient_checkpointing = False

    @property
    def divisor(self) -> int:
        """Each side of the input has to be a multiple of this."""
        return int(2**self.architecture.depth)

    @abstractmethod
    def levels(self, images: Tensor) -> list[Tensor]:
        """Return the logits, and with deep supervision those of coarser levels: (B, classes, X/2^n, Y/2^n, Z/2^n)."""

    @abstractmethod
    def describe(self) -> Message:
        """Return what kind of network this is, in one sentence with a reference."""
