"""What every network has: a description, a base class, and gradient checkpointing.

All other code knows a network by the class `Network` alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # synchronised or not
from torch.utils.checkpoint import checkpoint

from tumorseg.errors import Message

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


def run_with_gradient_checkpointing(part: nn.Module, *inputs: Tensor) -> Tensor:
    """The result of `part`, of which only the inputs are kept until the gradient needs the rest.

    After Chen et al. 2016 (arXiv:1604.06174). Results, gradients and statistics of batch norm are those without it.
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _preserve_running_statistics(part)

    result: Tensor = checkpoint(
        part, *inputs, use_reentrant=False, context_fn=contexts, preserve_rng_state=False
    )  # nothing in a part is random
    return result


@contextmanager
def _preserve_running_statistics(part: nn.Module) -> Iterator[None]:
    """Let the second computation update copies of the running statistics, which the first has updated already."""
    norms = [module for module in part.modules() if isinstance(module, _BatchNorm)]
    kept = [dict(norm._buffers) for norm in norms]
    try:
        for norm, buffers in zip(norms, kept, strict=True):
            norm._buffers.update({name: None if value is None else value.clone() for name, value in buffers.items()})
        yield
    finally:
        for norm, buffers in zip(norms, kept, strict=True):
            norm._buffers.update(buffers)


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
