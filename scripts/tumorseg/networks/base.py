"""The base class of all networks, their description, and gradient checkpointing.

Other code uses networks only through the class `Network`.
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

    Attributes:
        base_channels: number of channels of the first level, doubled at each further level.
        classes: number of classes of the output, background included.
        channels: number of channels of the input.
        name: key of `factory.NETWORKS`.
        depth: number of down-samplings; each halves all sides.
        norm: batch norm, or instance norm, which normalises each image by itself.
        down_sampling: by max pooling or by a strided 2x2x2 convolution.
        deep_supervision: whether coarser levels of the decoder have outputs too, for the loss in training.
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
    """Run part of a network; keep only its inputs, and recompute its activations for the gradient.

    Results, gradients and batch-norm statistics are the same as without checkpointing.

    Args:
        part: the part to run; uses no random numbers.
        *inputs: inputs of the part, (B, C, X, Y, Z).

    Returns:
        The output of `part`, (B, C, X, Y, Z).

    References:
        Chen et al. 2016, arXiv:1604.06174.
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _preserve_running_statistics(part)

    result: Tensor = checkpoint(part, *inputs, use_reentrant=False, context_fn=contexts, preserve_rng_state=False)
    return result


@contextmanager
def _preserve_running_statistics(part: nn.Module) -> Iterator[None]:
    """Let recomputation update copies of the running statistics: the first pass has already updated the originals."""
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
    """Base class of all networks: images (B, channels, X, Y, Z) to logits (B, classes, X, Y, Z), both floating point.

    The sides of the images must be multiples of `divisor`. For prediction, a convolution before a batch norm in a
    `Sequential` is fused with it. Nothing else may use the output of this convolution.

    Attributes:
        architecture: description of the network.
        gradient_checkpointing: whether to recompute activations for the gradient instead of keeping them. This saves
            memory, takes more time and does not change results. Off by default.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.gradient_checkpointing = False

    @property
    def divisor(self) -> int:
        """Number of voxels that each side of the input must be a multiple of."""
        return int(2**self.architecture.depth)

    @abstractmethod
    def levels(self, images: Tensor) -> list[Tensor]:
        """Return the logits and, with deep supervision, those of coarser levels, finest first.

        Args:
            images: normalised images, (B, channels, X, Y, Z), float32.

        Returns:
            Logits (B, classes, X/2^n, Y/2^n, Z/2^n) of the levels n = 0, 1, …
        """

    @abstractmethod
    def describe(self) -> Message:
        """Return what kind of network this is, in one sentence with a reference."""
