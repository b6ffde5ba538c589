"""Training of a network from one checkpoint to the next."""

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
from tumorseg.training.augmentation import augment, drop_channels
from tumorseg.training.batches import Batch, iterate_batches, steps_per_epoch
from tumorseg.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from tumorseg.training.distributed import local_shard, rank, sync_errors, wrap_ddp
from tumorseg.training.epoch_validation import validate
from tumorseg.training.losses import LossModule, LossTerms
from tumorseg.training.recipe import Recipe
from tumorseg.training.schedule import learning_rate
from tumorseg.training.selection import remedy
from tumorseg.training.simulation import Simulators
from tumorseg.training.start_model import StartModel
from tumorseg.training.step_memory import explain_out_of_memory
from tumorseg.training.tensorboard import TensorBoardWriter
from tumorseg.training.verification import checkpoint_problems

_MAX_NONFINITE_STEPS: Final = 3
"""Training stops after this many consecutive steps with a non-finite loss."""


def train_epoch(
    state: TrainingState,
    loss_module: nn.Module,
    batches: Iterable[Batch],
    steps: int,
    execution: Execution,
    *,
    on_step: Callable[[int, float, float], None] | None = None,
) -> dict[str, Any]:
    """Train for one epoch.

    A step with a non-finite loss is logged and skipped: it changes neither weights nor batch-norm statistics.

    Args:
        state: network, moving average, optimizer and scaler are changed in place.
        loss_module: computes the loss of the state's network; wrapped for distributed training if there are several
            processes.
        batches: the batches of the epoch.
        steps: number of batches.
        execution: device and precision.
        on_step: called after each step with its number, counted from the start of the training, its loss and its
            learning rate.

    Returns:
        `train_loss`, the mean over the steps with a finite loss; `learning_rate` of the last step; `steps`;
        `skipped_steps`, skipped by the gradient scaler; `nonfinite_steps`, skipped because of their loss.

    Raises:
        UserError: the loss was non-finite in three consecutive steps, or in all steps of a shorter epoch.
    """
    settings = state.recipe.training
    state.network.train()
    epoch = state.epoch + 1
    progress = Progress(steps, f"epoch {epoch}: step")
    total, skipped, non_finite, consecutive, rate = 0.0, 0, 0, 0, settings.learning_rate
    for step, batch in enumerate(batches, start=1):
        done = state.epoch + (step - 1) / steps
        rate = learning_rate(
            settings.schedule, settings.learning_rate, settings.schedule_epochs, done, settings.warmup_epochs
        )
        value, taken = train_step(state, loss_module, batch, rate, execution)
        if on_step is not None:
            on_step(state.epoch * steps + step, value, rate)
        if math.isfinite(value):
            skipped += not taken
            total += value
            consecutive = 0
        else:
            non_finite, consecutive = non_finite + 1, consecutive + 1
            cases = ", ".join(distributed.gather(list(batch.cases)))
            problem = f"the loss is {value} at step {step} of epoch {epoch} (cases: {cases})"
            if consecutive == min(_MAX_NONFINITE_STEPS, steps):
                raise UserError(
                    f"{problem}, consecutive steps with a non-finite loss: {consecutive}; "
                    "lower training.learning_rate, or set training.precision to bf16 or fp32"
                )
            logger.warning("%s: this step is skipped", problem)
        shown: Message = f"loss {total / max(1, step - non_finite):.4f}"
        progress.step(shown)
    return {
        "train_loss": total / (steps - non_finite),
        "learning_rate": rate,
        "steps": steps,
        "skipped_steps": skipped,
        "nonfinite_steps": non_finite,
    }


def train_step(
    state: TrainingState, loss_module: nn.Module, batch: Batch, rate: float, execution: Execution
) -> tuple[float, bool]:
    """Augment a batch and train on it.

    Args:
        state: network in training mode, moving average, optimizer and scaler are changed in place; not if the loss is
            non-finite.
        loss_module: computes the loss of the state's network.
        batch: the batch.
        rate: learning rate.
        execution: device and precision.

    Returns:
        The loss, averaged over all processes, and whether the optimizer took a step.
    """
    network = state.network
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    statistics = [buffer.clone() for buffer in network.buffers()]
    masks = batch.masks.to(execution.device, non_blocking=True)
    names = state.recipe.training.augmentation
    images, masks = augment(execution.place(batch.images), masks, names, batch.augmentation_rngs)
    images = drop_channels(images, state.recipe.training.channel_dropout, batch.augmentation_rngs)
    loss = loss_module(images, masks)
    value = distributed.all_reduce_mean(loss).item()  # non-finite in one process: non-finite in all
    if math.isfinite(value):
        return value, _optimizer_step(state, loss)
    for buffer, before in zip(network.buffers(), statistics, strict=True):
        buffer.copy_(before)
    return value, False


def _optimizer_step(state: TrainingState, loss: torch.Tensor) -> bool:
    """Take an optimizer step with scaled and, if configured, clipped gradients; return whether it was taken."""
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
"""Threads that read batches in the background; each holds one batch in memory."""


def start_state(
    recipe: Recipe,
    data: FoldData,
    execution: Execution,
    previous: Path | None,
    epoch: int,
    *,
    start_model: StartModel | None = None,
) -> TrainingState:
    """Return the state to train from: the state of the previous checkpoint, or the initial one.

    Args:
        recipe: the configuration of the training.
        data: the cases of the fold; the previous checkpoint must have been trained on them too.
        execution: device and precision.
        previous: the previous checkpoint; None for the initial state.
        epoch: epoch of the previous checkpoint.
        start_model: the model whose weights replace the initial ones, see `read_start_model`.

    Raises:
        UserError: the previous checkpoint is invalid (the message names the files to delete) or began with another
            execution, or torch computes wrong gradients with these settings.
    """
    state = TrainingState.initial(recipe, data.fold, execution)
    _require_correct_bf16_gradients(recipe, execution, 3 * state.network.divisor)
    if previous is None:
        if start_model is not None:
            state.start_from(start_model)
            logger.info("starting from the weights of a model")
        return state
    problems = checkpoint_problems(previous, recipe, data, epoch)
    if problems:
        raise UserError(
            f"{previous}: cannot continue from this checkpoint: it "
            f"{'; '.join(problem.message for problem in problems)}. {remedy(previous)}"
        )
    content = load_checkpoint(previous)
    if content["execution"] != state.execution:
        retrain = "train again without --cache" if previous.is_symlink() else "train again"
        raise UserError(
            f"{previous}: the training began on {content['execution']} and would continue on {state.execution}, which "
            "gives different results: run where it began, set training.device, training.precision and the rule's "
            f"resource gpu to match, or delete {previous.parent} to {retrain}"
        )
    state.load_state_dict(content)
    return state


def _require_correct_bf16_gradients(recipe: Recipe, execution: Execution, min_side: int) -> None:
    """Refuse patches for which torch 2.13 computes wrong bf16 gradients on a CPU.

    Affected are convolutions whose input is 2 voxels wide: repeated calls with the same input give different gradients,
    some NaN, since they read uninitialised memory.

    Args:
        recipe: the configuration of the training.
        execution: device and precision.
        min_side: shortest side of a patch without such a convolution, in voxels.

    Raises:
        UserError: a side of the patches is shorter.
    """
    smallest = min(recipe.training.input_shape)
    if execution.device.type == "cpu" and execution.dtype == torch.bfloat16 and smallest < min_side:
        raise UserError(
            f"training.input_shape has a side of {smallest}, but torch's bf16 gradients on a CPU are wrong below "
            f"{min_side}: set it to {min_side} or more, or training.precision to fp32"
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
    synthetic_cases: Sequence[Path] = (),
    simulators: Simulators | None = None,
    tensorboard_folder: Path | None = None,
) -> None:
    """Train until the end of an epoch, validate after each epoch, and save a checkpoint.

    With several processes, each trains on its share of the batches and validates its share of the held-out cases. The
    first process saves the checkpoint.

    Args:
        epoch: the last epoch to train.
        state: where to start; changed in place.
        data: digests of the training and held-out cases, recorded in the checkpoint.
        training_cases: files of normalised cases.
        held_out_cases: files of normalised cases.
        execution: device and precision.
        checkpoint: the file to write.
        synthetic_cases: files of synthetic cases to train on as well.
        simulators: simulate synthetic cases to train on as well.
        tensorboard_folder: folder for TensorBoard events of this call; None writes none.

    Raises:
        UserError: a case is corrupted, the network has become non-finite, or the memory of the device is too small.
    """
    began = time.monotonic()
    files = local_shard([*training_cases, *synthetic_cases])
    progress = Progress(len(files), "checking training case")
    with sync_errors():
        for path in files:
            read_case(path)  # checks the digest, which reading patches does not
            progress.step()
    settings = state.recipe.training
    steps = steps_per_epoch(len(training_cases), settings)
    logger.info(
        "%s%s, %d held out, %s an epoch",
        format_count(len(training_cases), "training case"),
        f" and {len(synthetic_cases)} synthetic ones" if synthetic_cases else "",
        len(held_out_cases),
        format_count(steps, "step"),
    )
    first = len(state.history)
    loss_module = wrap_ddp(LossModule(state.network, execution, LossTerms.from_recipe(state.recipe)))
    opened = (
        closing(TensorBoardWriter(tensorboard_folder, state.epoch * steps + 1))
        if tensorboard_folder and rank() == 0
        else nullcontext()
    )
    with opened as writer:
        while state.epoch < epoch:
            batches = iterate_batches(
                training_cases,
                settings,
                state.fold,
                state.epoch + 1,
                synthetic_cases=synthetic_cases,
                simulators=simulators,
                workers=READER_THREADS,
                pin_memory=execution.pins_batches,
            )
            with explain_out_of_memory(state.recipe, execution):
                trained = train_epoch(
                    state, loss_module, batches, steps, execution, on_step=writer.step if writer else None
                )
            validated = validate(state.eval_network, held_out_cases, execution, state.recipe)
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
            if writer:
                writer.epoch(state.history[-1], state.epoch * steps)
    if rank() == 0:
        save_checkpoint(checkpoint, state, data, state.history[first:], time.monotonic() - began)


def _require_finite(state: TrainingState, validation_loss: float) -> None:
    """Raise UserError, before anything is saved, if weights, statistics or outputs of the network are non-finite."""
    wrong = [name for name, tensor in state.network.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if wrong or not math.isfinite(validation_loss):
        where = ", ".join(wrong[:3]) or "its output"
        raise UserError(
            f"after epoch {state.epoch + 1} the network holds NaN or infinity ({where}); "
            "lower training.learning_rate, or set training.precision to bf16 or fp32"
        )
