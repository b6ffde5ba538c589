"""Soft Dice plus cross-entropy, deep supervision, and the module that computes the loss of a network."""

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
    """Cross-entropy over all classes plus one minus the mean soft Dice of `labels`; a float32 scalar.

    logits: (B, classes, X, Y, Z), any floating dtype. masks: int64 (B, X, Y, Z). across_processes: adds up the sums of
    Dice where processes share a batch. Both terms are computed in float32, whatever the precision of the
    network: sums over millions of voxels overflow in fp16. All operations have deterministic gradients on CUDA, which
    those that gather by the mask have not.
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
    """`segmentation_loss` of the logits, or its mean over several levels of them, first that on the masks' own grid.

    Each coarser level is held against every second voxel of the masks before it and counts half as much (deep
    supervision, Lee et al. 2015, arXiv:1409.5185; the weights are those of Isensee et al. 2021,
    doi:10.1038/s41592-020-01008-z).
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
    """Soft Dice of each of `labels`, over the voxels of the whole batch; (labels,).

    probabilities: float32 (B, classes, X, Y, Z). reference: bool, of the same shape.
    2 Σpg / (Σp + Σg) with p the softmax probability and g the reference (Milletari et al. 2016, arXiv:1606.04797,
    without squares). Background takes no part, as it would hide the tumour; nor do classes that no voxel has.
    """
    over_voxels = (0, 2, 3, 4)
    overlap = torch.where(reference, probabilities, 0).sum(over_voxels)  # (classes,)
    total = probabilities.sum(over_voxels) + reference.sum(over_voxels)
    overlap, total = all_reduce(torch.stack([overlap, total])).unbind()
    return torch.stack([(2 * overlap[label] + _SMOOTHING) / (total[label] + _SMOOTHING) for label in labels])


class LossModule(nn.Module):
    """The loss of images (B, channels, X, Y, Z) and masks (B, X, Y, Z), a float32 scalar.

    labels: those whose Dice takes part. It is that of the batches of all processes together.
    """

    def __init__(self, network: Network, execution: Execution, labels: Sequence[int]) -> None:
        super().__init__()
        self.network, self.execution, self.labels = network, execution, labels

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """The loss, in the precision of the execution as far as the network goes."""
        with self.execution.autocast():
            levels = self.network.levels(images)
        return deep_supervision_loss(levels, masks, self.labels, all_reduce_sum)
