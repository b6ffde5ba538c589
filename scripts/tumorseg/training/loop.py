"""One epoch of training."""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from tumorseg.console import Progress, logger
from tumorseg.errors import Message, UserError
from tumorseg.network.execution import Execution
from tumorseg.training import parallel
from tumorseg.training.augmentation import augment
from tumorseg.training.data import Batch
from tumorseg.training.schedule import learning_rate
from tumorseg.training.state import TrainingState

_PATIENCE: Final = 3
"""Steps in succession whose loss may be no finite number before the training stops."""


def train_epoch(
    state: TrainingState,
    objective: nn.Module,
    batches: Iterable[Batch],
    steps: int,
    execution: Execution,
    *,
    told: Callable[[int, float, float], None] | None = None,
) -> dict[str, Any]:
    """Train on `steps` batches; the state's network, its average, optimizer and scaler change in place.

    objective: the loss of the state's network, shared by several processes or not. told: is called with each step,
    counted from the beginning of the training, its loss and its learning rate.
    A step whose loss is not finite is told with epoch, step and cases, and skipped: it changes neither weights nor the
    statistics of batch norm. Returns the mean training loss over the steps not skipped so, the learning rate of the
    last step, the steps, how many of them the gradient scaler skipped, and how many had a loss that was not finite.
    Raises UserError where such losses come three times in succession, or in every step of a shorter epoch.
    """
    network, settings = state.network, state.recipe.training
    network.train()
    epoch = state.epoch + 1
    progress = Progress(steps, f"epoch {epoch}: step")
    total, skipped, not_finite, in_succession, rate = 0.0, 0, 0, 0, settings.learning_rate
    for step, batch in enumerate(batches, start=1):
        done = state.epoch + (step - 1) / steps
        rate = learning_rate(settings.schedule, settings.learning_rate, settings.schedule_epochs, done)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        statistics = [buffer.clone() for buffer in network.buffers()]
        masks = batch.masks.to(execution.device, non_blocking=True)
        images, masks = augment(execution.place(batch.images), masks, settings.augmentation, batch.augmentation)
        loss = objective(images, masks)
        value = parallel.mean(loss).item()  # not finite for one process: not finite for all
        if told is not None:
            told(state.epoch * steps + step, value, rate)
        if math.isfinite(value):
            skipped += not _descend(state, loss)
            total += value
            in_succession = 0
        else:
            for buffer, before in zip(network.buffers(), statistics, strict=True):
                buffer.copy_(before)
            not_finite, in_succession = not_finite + 1, in_succession + 1
            cases = ", ".join(parallel.everyones(list(batch.cases)))
            what = f"the loss is {value} at step {step} of epoch {epoch} (cases: {cases})"
            if in_succession == min(_PATIENCE, steps):
                raise UserError(
                    f"{what}, {in_succession} times in succession; "
                    "lower training.learning_rate, or set training.precision to bf16 or fp32"
                )
            logger.warning("%s: this step is skipped", what)
        shown: Message = f"loss {total / max(1, step - not_finite):.4f}"
        progress.step(shown)
    return {
        "train_loss": total / (steps - not_finite),
        "learning_rate": rate,
        "steps": steps,
        "skipped_steps": skipped,
        "nonfinite_steps": not_finite,
    }


def _descend(state: TrainingState, loss: torch.Tensor) -> bool:
    """One step of the optimizer, with scaled gradients, clipped where that is asked for; whether it was taken."""
    clip = state.recipe.training.gradient_clip
    state.optimizer.zero_grad(set_to_none=True)
    state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    if clip is not None:
        state.scaler.unscale_(state.optimizer)
        clip_grad_norm_(state.network.parameters(), clip)
    scale = state.scaler.get_scale()
    state.scaler.step(state.optimizer)
    state.scaler.update()
    taken = state.scaler.get_scale() >= scale
    if taken and state.average is not None:
        state.average.update_parameters(state.network)
    return taken
