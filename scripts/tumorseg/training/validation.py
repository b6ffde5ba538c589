"""What the network does on the cases that are held out, after each epoch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tumorseg.console import Progress, logger
from tumorseg.inference.whole_volume import logits_of, mask_of
from tumorseg.labels import LABEL_NAMES, STRUCTURES, TUMOUR_LABELS
from tumorseg.metrics.overlap import overlaps
from tumorseg.network.execution import Execution
from tumorseg.network.unet import UNet
from tumorseg.normalise.store import read_case
from tumorseg.training.loss import segmentation_loss


def validate(network: UNet, cases: Sequence[Path], execution: Execution) -> dict[str, float]:
    """Mean loss and mean Dice of each structure over whole held-out cases; `validation_dice` is the mean over labels.

    A label that no prediction has although the references do is called out at once.
    """
    progress = Progress(len(cases), "held-out case")
    losses: list[float] = []
    dice: dict[str, list[float]] = {name: [] for name in STRUCTURES}
    voxels = np.zeros((2, len(TUMOUR_LABELS)), int)
    for path in cases:
        case = read_case(path)
        logits = logits_of(network, case.image, execution)
        masks = torch.from_numpy(case.mask).long().to(execution.device)
        losses.append(segmentation_loss(logits[None], masks[None]).item())
        found = overlaps(mask_of(logits), case.mask)
        for name, overlap in found.items():
            dice[name].append(overlap.dice)
        labels = [found[f"label_{label}"] for label in TUMOUR_LABELS]
        voxels += [[overlap.reference_voxels for overlap in labels], [overlap.predicted_voxels for overlap in labels]]
        progress.step()
    for label, in_reference, predicted in zip(TUMOUR_LABELS, *voxels, strict=True):
        if in_reference and not predicted:
            logger.warning("label %d (%s) is never predicted on the held-out cases", label, LABEL_NAMES[label])
    means = {f"dice_{name}": float(np.mean(values)) for name, values in dice.items()}
    return {
        "validation_loss": float(np.mean(losses)),
        "validation_dice": float(np.mean([means[f"dice_label_{label}"] for label in TUMOUR_LABELS])),
        **means,
    }
