"""`training.deterministic`: every option of a training runs with it and gives the same bits twice."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from tests.gpu_check.check import Figure, Result
from tests.gpu_check.materials import Training, make_recipe, missing_precision, read_batches, start
from tests.gpu_check.scale import Scale
from tumorseg.networks.devices import Execution
from tumorseg.training.augmentation import AUGMENTATIONS
from tumorseg.training.batches import Batch
from tumorseg.training.recipe import Recipe

STEPS = 3
OPTIONS: dict[str, dict[str, Any]] = {
    "default options": {},
    "instance norm": {"model": {"norm": "instance"}},
    "strided down-sampling": {"model": {"down_sampling": "stride"}},
    "deep supervision": {"model": {"deep_supervision": True}},
    "gradient checkpointing": {"gradient_checkpointing": True},
    "moving average and clipped gradients": {"ema_decay": 0.9, "gradient_clip": 12},
    "regions, absent structures, weighted cross-entropy": {
        "dice_structures": "all",
        "dice_absent": "ignore",
        "cross_entropy_weights": {"label_1": 3},
    },
    "all augmentations and channel dropout": {"augmentation": list(AUGMENTATIONS), "channel_dropout": 0.2},
    "bf16": {"precision": "bf16"},
    "fp32": {"precision": "fp32"},
}


def check_options(scale: Scale, folder: Path) -> Result:
    """Train a few steps twice with each option and compare the weights."""
    same, problems, skipped = 0, [], []
    for title, changes in OPTIONS.items():
        recipe = make_recipe(
            scale,
            scale.base_channels[0],
            **{"input_shape": list(scale.small), "deterministic": True, "steps_per_epoch": STEPS, **changes},
        )
        execution = start(recipe)
        if changes.get("precision") and (missing := missing_precision(recipe, execution)):
            skipped.append(f"{title} was not tried: {missing}")
            continue
        try:
            one, other = (
                _weights_after(recipe, execution, read_batches(folder, scale, recipe, execution)) for _ in range(2)
            )
        except RuntimeError as error:  # torch raises it for an operation without a deterministic algorithm
            problems.append(f"{title}: {error}")
            continue
        if torch.equal(one, other):
            same += 1
        else:
            problems.append(f"{title}: the second training has other weights")
    return Result.judged([Figure("options with the same bits twice", same)], problems, skipped)


def _weights_after(recipe: Recipe, execution: Execution, batches: Iterable[Batch]) -> torch.Tensor:
    """Return all weights after a step on each batch, float32 (weights,)."""
    training = Training.of(recipe, execution)
    for batch in batches:
        training.step(batch)
    return torch.cat([weights.detach().flatten().cpu() for weights in training.state.eval_network.parameters()])
