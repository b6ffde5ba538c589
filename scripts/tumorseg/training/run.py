"""From one checkpoint to the next."""

import time
from collections.abc import Sequence
from pathlib import Path

from tumorseg.console import Progress, logger
from tumorseg.errors import UserError
from tumorseg.network.execution import Execution
from tumorseg.normalise.store import read_case
from tumorseg.training.checkpoint import load, save
from tumorseg.training.data import batches, steps_of
from tumorseg.training.loop import train_epoch
from tumorseg.training.settings import Recipe
from tumorseg.training.state import TrainingState
from tumorseg.training.validation import validate
from tumorseg.training.verify import problems_of


def start_state(recipe: Recipe, fold: int, execution: Execution, previous: Path | None, epoch: int) -> TrainingState:
    """The state to train from: that of the checkpoint `previous`, of `epoch`, or the initial one.

    Raises UserError, naming the file to delete, where the previous checkpoint is not sound.
    """
    state = TrainingState.initial(recipe, fold, execution)
    if previous is None:
        return state
    problems = problems_of(previous, recipe, fold, epoch)
    if problems:
        raise UserError(
            f"{previous}: this checkpoint, from which the training should go on, "
            f"{'; '.join(problem.message for problem in problems)}. "
            "Delete it and run again: its epoch is then trained anew"
        )
    state.restore(load(previous))
    return state


def train_until(
    epoch: int,
    state: TrainingState,
    *,
    training_cases: Sequence[Path],
    held_out_cases: Sequence[Path],
    execution: Execution,
    checkpoint: Path,
) -> None:
    """Train `state` up to the end of `epoch`, validating after each epoch, and save it to `checkpoint`."""
    began = time.monotonic()
    progress = Progress(len(training_cases), "checking training case")
    for path in training_cases:
        read_case(path)  # raises where a file is damaged; afterwards patches are read without another check
        progress.step()
    settings = state.recipe.training
    steps = steps_of(len(training_cases), settings)
    logger.info("%d training cases, %d held out, %d steps an epoch", len(training_cases), len(held_out_cases), steps)
    first = len(state.history)
    while state.epoch < epoch:
        coming = batches(training_cases, settings, state.fold, state.epoch + 1)
        trained = train_epoch(state, coming, steps, execution)
        validated = validate(state.network, held_out_cases, execution)
        state.epoch += 1
        state.history.append({"epoch": state.epoch, **trained, **validated})
        logger.info(
            "epoch %d: training loss %.4f, held-out loss %.4f, held-out Dice WT %.3f, TC %.3f, ET %.3f, labels %.3f",
            state.epoch,
            trained["train_loss"],
            *(validated[name] for name in ("validation_loss", "dice_WT", "dice_TC", "dice_ET", "validation_dice")),
        )
    save(checkpoint, state, state.history[first:], time.monotonic() - began)
