"""What the network does on the cases that are held out, after each epoch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tumorseg.console import Progress, logger
from tumorseg.inference.whole_volume import logits_of, mask_of
from tumorseg.metrics.overlap import overlaps
from tumorseg.network.execution import Execution
from tumorseg.network.protocol import Network
from tumorseg.normalise.store import read_case
from tumorseg.task import Task
from tumorseg.training.loss import segmentation_loss
from tumorseg.training.parallel import agreeing, everyones, mine


def validate(network: Network, cases: Sequence[Path], execution: Execution, task: Task) -> dict[str, float]:
    """Mean loss and mean Dice of each structure over whole held-out cases; `validation_dice` is the mean over labels.

    A label that no prediction has although the references do is called out at once.
    """
    progress = Progress(len(mine(cases)), "held-out case")
    own = []
    with agreeing():
        for path in mine(cases):
            case = read_case(path)
            logits = logits_of(network, case.image, execution)
            masks = torch.from_numpy(case.mask).long().to(execution.device)
            loss = segmentation_loss(logits[None], masks[None], task.label_values).item()
            own.append((loss, overlaps(case.mask, mask_of(logits, task.unused_classes), task)))
            progress.step()
    losses, found = zip(*everyones(own), strict=True)
    for label, title in task.label_titles.items():
        overlap = [of_case[f"label_{label}"] for of_case in found]
        if any(o.reference_voxels for o in overlap) and not any(o.predicted_voxels for o in overlap):
            logger.warning("label %d (%s) is never predicted on the held-out cases", label, title)
    means = {f"dice_{name}": float(np.mean([of_case[name].dice for of_case in found])) for name in task.structures}
    return {
        "validation_loss": float(np.mean(losses)),
        "validation_dice": float(np.mean([means[f"dice_{label}"] for label in task.label_structures])),
        **means,
    }
