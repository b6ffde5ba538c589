"""Trains a network from one checkpoint to the next."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from tumorseg.cli.console import Progress, logger
from tumorseg.errors import Message, UserError
from tumorseg.formatting import format_count
from tumorseg.networks.devices import Execution
from tumorseg.preprocessing.fold_data import FoldData
from tumorseg.preprocessing.store import read_case
from tumorseg.training import distributed
from tumorseg.training.augmentation import augment
from tumorseg.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from tumorseg.training.data import Batch, iterate_batches, steps_per_epoch
from tumorseg.training.distributed import local_shard, rank, sync_errors, wrap_ddp
from tumorseg.training.losses import LossModule
from tumorseg.training.schedule import learning_rate
from tumorseg.training.selection import remedy
from tumorseg.training.settings import Recipe
from tumorseg.training.tensorboard import TensorBoardWriter
from tumorseg.training.validation import validate
from tumorseg.training.verification import checkpoint_problems

_MAX_NONFINITE_STEPS: Final = 3
"""Steps in succession whose loss may be no finite number before the training stops."""


def train_epoch(
    state: TrainingState,
    loss_module: nn.Module,
    batches: Iterable[Batch],
    steps: int,
    execution: Execution,
    *,
    on_step: Callable[[int, float, float], None] | None = None,
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
        loss = loss_module(images, masks)
        value = distributed.all_reduce_mean(loss).item()  # not finite for one process: not finite for all
        if on_step is not None:
            on_step(state.epoch * steps + step, value, rate)
        if math.isfinite(value):
            skipped += not _optimizer_step(state, loss)
            total += value
            in_succession = 0
        else:
            for buffer, before in zip(network.buffers(), statistics, strict=True):
                buffer.copy_(before)
            not_finite, in_succession = not_finite + 1, in_succession + 1
            cases = ", ".join(distributed.gather(list(batch.cases)))
            what = f"the loss is {value} at step {step} of epoch {epoch} (cases: {cases})"
            if in_succession == min(_MAX_NONFINITE_STEPS, steps):
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


def _optimizer_step(state: TrainingState, loss: torch.Tensor) -> bool:
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
    if taken and state.ema is not None:
        state.ema.update_parameters(state.network)
    return taken


READER_THREADS: Final = 2
"""Threads that read the coming batches, one of which each holds in memory."""


def start_state(
    recipe: Recipe, data: FoldData, execution: Execution, previous: Path | None, epoch: int
) -> TrainingState:
    """The state to train from: that of the checkpoint `previous`, of `epoch`, or the initial one.

    data: the cases of the fold, on which the previous checkpoint must have been trained too.

    Raises UserError, naming the file to delete, where the previous checkpoint is not sound; and where torch would not
    compute soundly.
    """
    state = TrainingState.initial(recipe, data.fold, execution)
    _require_correct_bf16_gradients(recipe, execution, 3 * state.network.divisor)
    if previous is None:
        return state
    problems = checkpoint_problems(previous, recipe, data, epoch)
    if problems:
        raise UserError(
            f"{previous}: this checkpoint, from which the training should go on, "
            f"{'; '.join(problem.message for problem in problems)}. {remedy(previous)}"
        )
    content = load_checkpoint(previous)
    if content["execution"] != state.execution:
        anew = "train anew without --cache" if previous.is_symlink() else "train anew"
        raise UserError(
            f"{previous}: the training began on {content['execution']} and would go on here on {state.execution}, "
            "which gives other results: run where it began, set training.device, training.precision and the rule's "
            f"resource gpu to match, or delete {previous.parent} to {anew}"
        )
    state.load_state_dict(content)
    return state


def _require_correct_bf16_gradients(recipe: Recipe, execution: Execution, min_side: int) -> None:
    """Refuse what torch 2.13 gets wrong on a CPU: bf16 gradients of convolutions whose input is 2 voxels wide.

    least: the shortest side of a patch with which no convolution's input is.

    They hold whatever was in memory before, NaN among it, as repeated calls with the same input show.
    """
    smallest = min(recipe.training.input_shape)
    if execution.device.type == "cpu" and execution.dtype == torch.bfloat16 and smallest < min_side:
        raise UserError(
            f"training.input_shape has a side of {smallest}, for which torch's gradients in bf16 on a CPU are wrong: "
            f"set it to {min_side} or more, or training.precision to fp32"
        )


def train_until(
    epoch: int,
    state: TrainingState,
    *,
    data: FoldData,
    training_cases: Sequence[Path],
    held_out_cases: Sequence[Path],
    execution: Execution,
    checkpoint: Path,
    tensorboard_folder: Path | None = None,
) -> None:
    """Train `state` up to the end of `epoch`, validating after each epoch, and save it to `checkpoint`.

    data: what `training_cases` and `held_out_cases` are, which the checkpoint is bound to.

    Of several processes, each trains on its share of the batches and validates its share of the cases; one saves.
    events: a folder for TensorBoard, which only has what happens in this call.
    """
    began = time.monotonic()
    progress = Progress(len(local_shard(training_cases)), "checking training case")
    with sync_errors():
        for path in local_shard(training_cases):
            read_case(path)  # raises where a file is damaged; afterwards patches are read without another check
            progress.step()
    settings = state.recipe.training
    steps = steps_per_epoch(len(training_cases), settings)
    logger.info(
        "%s, %d held out, %s an epoch",
        format_count(len(training_cases), "training case"),
        len(held_out_cases),
        format_count(steps, "step"),
    )
    first = len(state.history)
    objective = wrap_ddp(LossModule(state.network, execution, state.recipe.task.label_values))
    writing = (
        closing(TensorBoardWriter(tensorboard_folder, state.epoch * steps + 1))
        if tensorboard_folder and rank() == 0
        else nullcontext()
    )
    with writing as told:
        while state.epoch < epoch:
            coming = iterate_batches(training_cases, settings, state.fold, state.epoch + 1, workers=READER_THREADS)
            trained = train_epoch(state, objective, coming, steps, execution, on_step=told.step if told else None)
            validated = validate(state.eval_network, held_out_cases, execution, state.recipe.task)
            _require_finite(state, validated["validation_loss"])
            state.epoch += 1
            state.history.append({"epoch": state.epoch, **trained, **validated})
            regions = [f"{region} {validated[f'dice_{region}']:.3f}" for region in state.recipe.task.region_labels]
            logger.info(
                "epoch %d: loss %.4f in training, %.4f held out; held-out Dice %s, labels %.3f",
                state.epoch,
                trained["train_loss"],
                validated["validation_loss"],
                ", ".join(regions),
                validated["validation_dice"],
            )
            if trained["skipped_steps"]:
                logger.info(
                    "epoch %d: the gradient scaler skipped %d of %d steps, whose gradients overflowed",
                    state.epoch,
                    trained["skipped_steps"],
                    steps,
                )
            if told:
                told.epoch(state.history[-1], state.epoch * steps)
    if rank() == 0:
        save_checkpoint(checkpoint, state, data, state.history[first:], time.monotonic() - began)


def _require_finite(state: TrainingState, validation_loss: float) -> None:
    """Raise UserError, before anything is saved, where the last steps have ruined the network."""
    ruined = [name for name, tensor in state.network.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if ruined or not math.isfinite(validation_loss):
        where = ", ".join(ruined[:3]) or "its answers"
        raise UserError(
            f"after epoch {state.epoch + 1} the network holds NaN or infinity ({where}); "
            "lower training.learning_rate, or set training.precision to bf16 or fp32"
        )
