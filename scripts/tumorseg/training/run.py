"""From one checkpoint to the next."""

import math
import time
from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Final

import torch

from tumorseg.console import Progress, logger
from tumorseg.counts import counted
from tumorseg.errors import UserError
from tumorseg.network.execution import Execution
from tumorseg.normalise.fold_data import FoldData
from tumorseg.normalise.store import read_case
from tumorseg.training.checkpoint import load, save
from tumorseg.training.data import batches, steps_of
from tumorseg.training.events import Events
from tumorseg.training.loop import train_epoch
from tumorseg.training.objective import Objective
from tumorseg.training.parallel import agreeing, mine, rank, together
from tumorseg.training.select import remedy
from tumorseg.training.settings import Recipe
from tumorseg.training.state import TrainingState
from tumorseg.training.validation import validate
from tumorseg.training.verify import problems_of

READERS: Final = 2
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
    _insist_on_sound_arithmetic(recipe, execution, 3 * state.network.divisor)
    if previous is None:
        return state
    problems = problems_of(previous, recipe, data, epoch)
    if problems:
        raise UserError(
            f"{previous}: this checkpoint, from which the training should go on, "
            f"{'; '.join(problem.message for problem in problems)}. {remedy(previous)}"
        )
    content = load(previous)
    if content["execution"] != state.execution:
        anew = "train anew without --cache" if previous.is_symlink() else "train anew"
        raise UserError(
            f"{previous}: the training began on {content['execution']} and would go on here on {state.execution}, "
            "which gives other results: run where it began, set training.device, training.precision and the rule's "
            f"resource gpu to match, or delete {previous.parent} to {anew}"
        )
    state.restore(content)
    return state


def _insist_on_sound_arithmetic(recipe: Recipe, execution: Execution, least: int) -> None:
    """Refuse what torch 2.13 gets wrong on a CPU: bf16 gradients of convolutions whose input is 2 voxels wide.

    least: the shortest side of a patch with which no convolution's input is.

    They hold whatever was in memory before, NaN among it, as repeated calls with the same input show.
    """
    smallest = min(recipe.training.input_shape)
    if execution.device.type == "cpu" and execution.dtype == torch.bfloat16 and smallest < least:
        raise UserError(
            f"training.input_shape has a side of {smallest}, for which torch's gradients in bf16 on a CPU are wrong: "
            f"set it to {least} or more, or training.precision to fp32"
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
    events: Path | None = None,
) -> None:
    """Train `state` up to the end of `epoch`, validating after each epoch, and save it to `checkpoint`.

    data: what `training_cases` and `held_out_cases` are, which the checkpoint is bound to.

    Of several processes, each trains on its share of the batches and validates its share of the cases; one saves.
    events: a folder for TensorBoard, which only has what happens in this call.
    """
    began = time.monotonic()
    progress = Progress(len(mine(training_cases)), "checking training case")
    with agreeing():
        for path in mine(training_cases):
            read_case(path)  # raises where a file is damaged; afterwards patches are read without another check
            progress.step()
    settings = state.recipe.training
    steps = steps_of(len(training_cases), settings)
    logger.info(
        "%s, %d held out, %s an epoch",
        counted(len(training_cases), "training case"),
        len(held_out_cases),
        counted(steps, "step"),
    )
    first = len(state.history)
    objective = together(Objective(state.network, execution, state.recipe.task.label_values))
    writing = closing(Events(events, state.epoch * steps + 1)) if events and rank() == 0 else nullcontext()
    with writing as told:
        while state.epoch < epoch:
            coming = batches(training_cases, settings, state.fold, state.epoch + 1, workers=READERS)
            trained = train_epoch(state, objective, coming, steps, execution, told=told.step if told else None)
            validated = validate(state.answering, held_out_cases, execution, state.recipe.task)
            _insist_on_finite(state, validated["validation_loss"])
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
        save(checkpoint, state, data, state.history[first:], time.monotonic() - began)


def _insist_on_finite(state: TrainingState, validation_loss: float) -> None:
    """Raise UserError, before anything is saved, where the last steps have ruined the network."""
    ruined = [name for name, tensor in state.network.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if ruined or not math.isfinite(validation_loss):
        where = ", ".join(ruined[:3]) or "its answers"
        raise UserError(
            f"after epoch {state.epoch + 1} the network holds NaN or infinity ({where}); "
            "lower training.learning_rate, or set training.precision to bf16 or fp32"
        )
