"""Validation: loss and Dice of the network on the held-out cases, after each epoch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tumorseg.cli.console import Progress, logger
from tumorseg.errors import Message
from tumorseg.inference.whole_volume import fuse_batchnorm, logits_of, mask_of, pad_image, probabilities_of
from tumorseg.metrics.overlap import Overlap, overlaps
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import DeviceMemoryError, too_little_memory
from tumorseg.preprocessing.crop import cropped_start
from tumorseg.preprocessing.store import NormalisedCase, read_case
from tumorseg.task import Task
from tumorseg.training.distributed import gather, local_shard, sync_errors
from tumorseg.training.losses import LossTerms, segmentation_loss
from tumorseg.training.recipe import Recipe


def validate(network: Network, cases: Sequence[Path], execution: Execution, recipe: Recipe) -> dict[str, float]:
    """Return the mean loss and the mean Dice of each structure over the held-out cases, each as a whole volume.

    For the same checkpoint, the rule evaluate reports the same Dice if the settings of `prediction` are the default and
    whole volumes fit into memory. There are two exceptions. That rule also counts reference voxels outside the margin
    around the brain, which normalised masks lack. And if cases are resampled (`normalisation.spacing_mm`), it compares
    masks on their original grids; here they are compared on the network's grid, which is faster.

    Logs a warning for each label that the references have and no prediction has.

    Args:
        network: not changed.
        cases: files of normalised cases; each process validates its share.
        execution: device and precision.
        recipe: its task and its loss.

    Returns:
        `validation_loss`; `dice_WT` and so on for each structure; `validation_dice`, the mean Dice over the labels.

    Raises:
        DeviceMemoryError: the memory of the device is too small for a case.
    """
    network, task, terms = fuse_batchnorm(network), recipe.task, LossTerms.from_recipe(recipe)
    progress = Progress(len(local_shard(cases)), "held-out case")
    results = []
    with sync_errors():
        for path in local_shard(cases):
            try:
                results.append(_validate_case(network, read_case(path), execution, task, terms))
            except torch.OutOfMemoryError:
                purpose: Message = f"{path}: validating this case as a whole volume"
                message = too_little_memory(execution.device, purpose, "lower model.base_channels")
                raise DeviceMemoryError(message) from None
            progress.step()
    losses, overlaps_by_case = zip(*gather(results), strict=True)
    for label, title in task.label_titles.items():
        of_label = [case[f"label_{label}"] for case in overlaps_by_case]
        if any(o.reference_voxels for o in of_label) and not any(o.predicted_voxels for o in of_label):
            logger.warning("label %d (%s) is never predicted in the held-out cases", label, title)
    means = {f"dice_{name}": float(np.mean([case[name].dice for case in overlaps_by_case])) for name in task.structures}
    return {
        "validation_loss": float(np.mean(losses)),
        "validation_dice": float(np.mean([means[f"dice_{label}"] for label in task.label_structures])),
        **means,
    }


def _validate_case(
    network: Network, case: NormalisedCase, execution: Execution, task: Task, terms: LossTerms
) -> tuple[float, dict[str, Overlap]]:
    """Return the loss of a case and the overlap of each structure with its reference."""
    padded = pad_image(case.image, cropped_start(case.origin), network.divisor)
    logits = logits_of(network, execution.place(padded.images), execution)
    masks = torch.from_numpy(case.mask).to(execution.device, non_blocking=True).long()
    loss = segmentation_loss(logits[:, :, *padded.inside], masks[None], terms)
    probabilities = probabilities_of(logits, task.unused_classes)[0]
    mask = mask_of(probabilities[:, *padded.inside])  # waits for a GPU, so the loss comes after it
    return loss.item(), overlaps(case.mask, mask, task)
