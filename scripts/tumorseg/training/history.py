"""The course of a training, gathered from the records beside its checkpoints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from tumorseg.console import logger
from tumorseg.files import DamagedFileError, read_json
from tumorseg.task import Task
from tumorseg.training.checkpoint import record_path

_LOSSES: Final = ("train_loss", "validation_loss", "validation_dice")
_STEPS: Final = ("learning_rate", "steps", "skipped_steps", "nonfinite_steps", "seconds")


def history_table(checkpoints: Sequence[Path], task: Task) -> pd.DataFrame:
    """One row per trained epoch: losses, held-out Dice of each structure of the task, learning rate, steps, seconds.

    Of the steps, also those that the gradient scaler skipped, and those whose loss was not finite.
    `seconds` are those of the job, spread evenly over its epochs. A checkpoint whose record is unreadable, which its
    verification has told already, has no rows.
    """
    rows = []
    for path in map(record_path, checkpoints):
        try:
            record = read_json(path)
            epochs, seconds = record["epochs"], record["seconds"]
            rows += [{**epoch, "seconds": seconds / len(epochs)} for epoch in epochs]
        except (DamagedFileError, KeyError, TypeError, ZeroDivisionError) as error:
            logger.warning("%s is damaged (%s): its epochs are missing in the history", path, error)
    columns = ["epoch", *_LOSSES, *(f"dice_{structure}" for structure in task.structures), *_STEPS]
    return pd.DataFrame(rows, columns=columns).sort_values("epoch", ignore_index=True)
