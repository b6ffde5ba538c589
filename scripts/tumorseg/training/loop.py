"""One epoch of training."""

from collections.abc import Iterable
from typing import Any

import torch

from tumorseg.console import Progress
from tumorseg.errors import UserError
from tumorseg.network.execution import Execution
from tumorseg.training.data import Batch
from tumorseg.training.loss import segmentation_loss
from tumorseg.training.state import TrainingState


def train_epoch(state: TrainingState, batches: Iterable[Batch], steps: int, execution: Execution) -> dict[str, Any]:
    """Train on `steps` batches; the state's network, optimizer and scaler change in place.

    Returns the mean training loss, the learning rate, the steps, and how many of them the gradient scaler skipped.
    Raises UserError at a loss that is not finite, naming epoch, step and cases, before it reaches the weights.
    """
    network, optimizer, scaler = state.network, state.optimizer, state.scaler
    network.train()
    epoch = state.epoch + 1
    progress = Progress(steps, f"epoch {epoch}: step")
    total, skipped = 0.0, 0
    for step, batch in enumerate(batches, start=1):
        optimizer.zero_grad(set_to_none=True)
        masks = batch.masks.to(execution.device, non_blocking=True)
        with execution.autocast():
            logits = network(execution.place(batch.images))  # (B, classes, X, Y, Z)
        loss = segmentation_loss(logits, masks)
        if not torch.isfinite(loss):
            raise UserError(
                f"the loss is {loss.item()} at step {step} of epoch {epoch} (cases: {', '.join(batch.cases)}); "
                "lower training.learning_rate, or set training.precision to bf16 or fp32"
            )
        scale = scaler.get_scale()
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        scaler.step(optimizer)
        scaler.update()
        skipped += scaler.get_scale() < scale
        total += loss.item()
        progress.step(f"loss {total / step:.4f}")
    return {
        "train_loss": total / steps,
        "learning_rate": state.recipe.training.learning_rate,
        "steps": steps,
        "skipped_steps": skipped,
    }
