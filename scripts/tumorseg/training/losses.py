"""The loss, soft Dice plus cross-entropy, with deep supervision; and the module that computes it for a network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.training.distributed import all_reduce_sum
from tumorseg.training.recipe import Recipe

_SMOOTHING = 1e-5


@dataclass(frozen=True)
class LossTerms:
    """What the loss compares.

    Attributes:
        structures: the labels of each structure of the Dice term.
        ignore_absent: whether the Dice term leaves out structures that the masks of the batch do not contain.
        class_weights: weight of each class in the cross-entropy; None if all have the same.
    """

    structures: tuple[tuple[int, ...], ...]
    ignore_absent: bool = False
    class_weights: tuple[float, ...] | None = None

    @classmethod
    def of_labels(cls, labels: Sequence[int]) -> Self:
        """Return the terms of the default loss: each label is a structure of the Dice term."""
        return cls(tuple((label,) for label in labels))

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Self:
        """Return the terms that the configuration of a training sets."""
        settings, task = recipe.training, recipe.task
        labels, regions = tuple((label,) for label in task.label_values), tuple(task.region_labels.values())
        structures = {"labels": labels, "regions": regions, "all": (*labels, *regions)}[settings.dice_structures]
        weights = settings.cross_entropy_weights
        return cls(
            structures,
            ignore_absent=settings.dice_absent == "ignore",
            class_weights=tuple(weights.get(f"label_{value}", 1) for value in range(task.classes)) if weights else None,
        )


def segmentation_loss(
    logits: Tensor,
    masks: Tensor,
    terms: LossTerms,
    all_reduce: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """Return the cross-entropy over all classes plus one minus the mean soft Dice of the structures.

    Both terms are computed in float32, since sums over millions of voxels overflow in fp16. All operations have
    deterministic gradients on CUDA; `torch.gather` would not.

    Args:
        logits: (B, classes, X, Y, Z), any floating dtype.
        masks: int64 (B, X, Y, Z).
        terms: the structures of the Dice term and the weights of the cross-entropy.
        all_reduce: sums the terms of the loss over the processes that share a batch.

    Returns:
        A float32 scalar.
    """
    log_probabilities = logits.float().log_softmax(dim=1)
    classes = torch.arange(logits.shape[1], device=masks.device).view(1, -1, 1, 1, 1)
    reference = masks[:, None] == classes  # (B, classes, X, Y, Z)
    likelihood = torch.where(reference, log_probabilities, 0)
    if terms.class_weights is None:
        cross_entropy = -likelihood.sum() / masks.numel()
    else:
        over_voxels, weights = (0, 2, 3, 4), torch.tensor(terms.class_weights, dtype=torch.float32, device=masks.device)
        sums = torch.stack([likelihood.sum(over_voxels) @ weights, reference.sum(over_voxels).float() @ weights])
        weighted, total_weight = all_reduce(sums).unbind()  # the processes have voxels of different total weights
        cross_entropy = -weighted / total_weight
    dice = soft_dice(log_probabilities.exp(), reference, terms.structures, all_reduce)
    if not terms.ignore_absent:
        return cross_entropy + 1 - dice.mean()
    voxels = torch.stack([reference[:, list(labels)].sum() for labels in terms.structures])
    present = (all_reduce(voxels.float()) > 0).float()
    return cross_entropy + ((1 - dice) * present).sum() / present.sum().clamp(min=1)


def deep_supervision_loss(
    levels: Sequence[Tensor],
    masks: Tensor,
    terms: LossTerms,
    all_reduce: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """Return the weighted mean of `segmentation_loss` over the levels of deep supervision.

    Level n is compared with every 2^n-th voxel of the masks along each axis, and has the weight 1 / 2^n.

    Args:
        levels: logits (B, classes, X/2^n, Y/2^n, Z/2^n) for n = 0, 1, …
        masks: int64 (B, X, Y, Z).
        terms: the structures of the Dice term and the weights of the cross-entropy.
        all_reduce: sums the terms of the loss over the processes that share a batch.

    Returns:
        A float32 scalar.

    References:
        Deep supervision: Lee et al. 2015, arXiv:1409.5185. Weights: Isensee et al. 2021,
        doi:10.1038/s41592-020-01008-z.
    """
    total, weights = torch.zeros((), device=masks.device), 0.0
    for level, logits in enumerate(levels):
        step, weight = 2**level, 0.5**level
        total = total + weight * segmentation_loss(logits, masks[:, ::step, ::step, ::step], terms, all_reduce)
        weights += weight
    return total / weights


def soft_dice(
    probabilities: Tensor,
    reference: Tensor,
    structures: Sequence[Sequence[int]],
    all_reduce: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """Return the soft Dice of each structure over the voxels of the whole batch.

    (2 Σpg + ε) / (Σp + Σg + ε), with p the softmax probability, g the reference and ε = 1e-5. The probability of a
    structure of several labels is the sum of theirs. Dice is 1 if both sums are 0. The background is left out, since it
    would dominate the tumour.

    Args:
        probabilities: float32 (B, classes, X, Y, Z).
        reference: bool (B, classes, X, Y, Z).
        structures: the labels of each structure.
        all_reduce: sums the terms of Dice over the processes that share a batch.

    Returns:
        Soft Dice, float32 (structures,).

    References:
        Milletari et al. 2016, arXiv:1606.04797; here without squares.
    """
    over_voxels = (0, 2, 3, 4)
    overlap = torch.where(reference, probabilities, 0).sum(over_voxels)  # (classes,)
    total = probabilities.sum(over_voxels) + reference.sum(over_voxels)
    terms = []
    for first, *others in structures:
        if others:
            merged = sum((probabilities[:, label] for label in others), probabilities[:, first])
            inside = reference[:, [first, *others]].any(dim=1)
            terms.append(torch.stack([torch.where(inside, merged, 0).sum(), total[[first, *others]].sum()]))
        else:
            terms.append(torch.stack([overlap[first], total[first]]))
    overlaps, totals = all_reduce(torch.stack(terms)).unbind(dim=1)
    return (2 * overlaps + _SMOOTHING) / (totals + _SMOOTHING)


class LossModule(nn.Module):
    """Computes the loss of a network for a batch.

    Dice is computed over the patches of all processes, cross-entropy over this process's patches. The trainer logs the
    mean of the processes.

    Args:
        network: the network to train.
        execution: device and precision.
        terms: what the loss compares.
    """

    def __init__(self, network: Network, execution: Execution, terms: LossTerms) -> None:
        super().__init__()
        self.network, self.execution, self.terms = network, execution, terms

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Return the loss of a batch, a float32 scalar.

        Args:
            images: float32 (B, channels, X, Y, Z).
            masks: canonical labels, int64 (B, X, Y, Z).
        """
        with self.execution.autocast():
            levels = self.network.levels(images)
        return deep_supervision_loss(levels, masks, self.terms, all_reduce_sum)
