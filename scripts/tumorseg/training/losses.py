"""The loss, soft Dice plus cross-entropy, with deep supervision; and the module that computes it for a network."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.training.distributed import all_reduce_sum

_SMOOTHING = 1e-5


def segmentation_loss(
    logits: Tensor,
    masks: Tensor,
    labels: Sequence[int],
    all_reduce: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """Return the cross-entropy over all classes plus one minus the mean soft Dice of `labels`.

    Both terms are computed in float32, since sums over millions of voxels overflow in fp16. All operations have
    deterministic gradients on CUDA; `torch.gather` would not.

    Args:
        logits: (B, classes, X, Y, Z), any floating dtype.
        masks: int64 (B, X, Y, Z).
        labels: the labels included in the Dice term.
        all_reduce: sums the terms of Dice over the processes that share a batch.

    Returns:
        A float32 scalar.
    """
    log_probabilities = logits.float().log_softmax(dim=1)
    classes = torch.arange(logits.shape[1], device=masks.device).view(1, -1, 1, 1, 1)
    reference = masks[:, None] == classes  # (B, classes, X, Y, Z)
    cross_entropy = -torch.where(reference, log_probabilities, 0).sum() / masks.numel()
    return cross_entropy + 1 - soft_dice(log_probabilities.exp(), reference, labels, all_reduce).mean()


def deep_supervision_loss(
    levels: Sequence[Tensor],
    masks: Tensor,
    labels: Sequence[int],
    all_reduce: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """Return the weighted mean of `segmentation_loss` over the levels of deep supervision.

    Level n is compared with every 2^n-th voxel of the masks along each axis, and has the weight 1 / 2^n.

    Args:
        levels: logits (B, classes, X/2^n, Y/2^n, Z/2^n) for n = 0, 1, …
        masks: int64 (B, X, Y, Z).
        labels: the labels included in the Dice term.
        all_reduce: sums the terms of Dice over the processes that share a batch.

    Returns:
        A float32 scalar.

    References:
        Deep supervision: Lee et al. 2015, arXiv:1409.5185. Weights: Isensee et al. 2021,
        doi:10.1038/s41592-020-01008-z.
    """
    total, weights = torch.zeros((), device=masks.device), 0.0
    for level, logits in enumerate(levels):
        step, weight = 2**level, 0.5**level
        total = total + weight * segmentation_loss(logits, masks[:, ::step, ::step, ::step], labels, all_reduce)
        weights += weight
    return total / weights


def soft_dice(
    probabilities: Tensor,
    reference: Tensor,
    labels: Sequence[int],
    all_reduce: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """Return the soft Dice of each label over the voxels of the whole batch.

    (2 Σpg + ε) / (Σp + Σg + ε), with p the softmax probability, g the reference and ε = 1e-5. It is 1 if both sums are
    0. The background is left out, since it would dominate the tumour.

    Args:
        probabilities: float32 (B, classes, X, Y, Z).
        reference: bool (B, classes, X, Y, Z).
        labels: the labels to compute it for.
        all_reduce: sums the terms of Dice over the processes that share a batch.

    Returns:
        Soft Dice, float32 (labels,).

    References:
        Milletari et al. 2016, arXiv:1606.04797; here without squares.
    """
    over_voxels = (0, 2, 3, 4)
    overlap = torch.where(reference, probabilities, 0).sum(over_voxels)  # (classes,)
    total = probabilities.sum(over_voxels) + reference.sum(over_voxels)
    overlap, total = all_reduce(torch.stack([overlap, total])).unbind()
    return torch.stack([(2 * overlap[label] + _SMOOTHING) / (total[label] + _SMOOTHING) for label in labels])


class LossModule(nn.Module):
    """Computes the loss of a network for a batch.

    Dice is computed over the patches of all processes, cross-entropy over this process's patches. The trainer logs the
    mean of the processes.

    Args:
        network: the network to train.
        execution: device and precision.
        labels: the labels included in the Dice term.
    """

    def __init__(self, network: Network, execution: Execution, labels: Sequence[int]) -> None:
        super().__init__()
        self.network, self.execution, self.labels = network, execution, labels

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Return the loss of a batch, a float32 scalar.

        Args:
            images: float32 (B, channels, X, Y, Z).
            masks: canonical labels, int64 (B, X, Y, Z).
        """
        with self.execution.autocast():
            levels = self.network.levels(images)
        return deep_supervision_loss(levels, masks, self.labels, all_reduce_sum)
