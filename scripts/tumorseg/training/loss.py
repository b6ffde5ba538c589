"""Soft Dice + categorical cross-entropy."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from tumorseg.labels import TUMOUR_LABELS

_SMOOTHING = 1e-5


def segmentation_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy over all classes plus one minus the mean soft Dice of the tumour labels; a float32 scalar.

    logits: (B, classes, X, Y, Z), any floating dtype. masks: int64 (B, X, Y, Z), inside labels. Both terms are computed
    in float32, whatever the precision of the network: sums over millions of voxels overflow in fp16.
    """
    logits = logits.float()
    return cross_entropy(logits, masks) + 1 - soft_dice(logits, masks).mean()


def soft_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Soft Dice of each of `labels.TUMOUR_LABELS`, over the voxels of the whole batch; (3,).

    2 Σpg / (Σp + Σg) with p the softmax probability and g the reference (Milletari et al. 2016, arXiv:1606.04797,
    without squares). Background takes no part, as it would hide the tumour; nor does class 3, which no voxel has.
    """
    labels = list(TUMOUR_LABELS)
    probabilities = logits.softmax(dim=1)[:, labels]  # (B, 3, X, Y, Z)
    reference = one_hot(masks, logits.shape[1])[..., labels].movedim(-1, 1)  # (B, 3, X, Y, Z)
    over_voxels = (0, 2, 3, 4)
    overlap = (probabilities * reference).sum(over_voxels)
    total = probabilities.sum(over_voxels) + reference.sum(over_voxels)
    return torch.div(2 * overlap + _SMOOTHING, total + _SMOOTHING)
