"""Parts of a network whose inner results are not kept for the gradient, but computed again (gradient checkpointing)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # synchronised or not
from torch.utils.checkpoint import checkpoint


def checkpointed(part: nn.Module, *inputs: Tensor) -> Tensor:
    """The result of `part`, of which only the inputs are kept until the gradient needs the rest.

    After Chen et al. 2016 (arXiv:1604.06174). Results, gradients and statistics of batch norm are those without it.
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_apart(part)

    result: Tensor = checkpoint(
        part, *inputs, use_reentrant=False, context_fn=contexts, preserve_rng_state=False
    )  # nothing in a part is random
    return result


@contextmanager
def _statistics_apart(part: nn.Module) -> Iterator[None]:
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
