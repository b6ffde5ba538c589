"""The course of a training, gathered from the records beside its checkpoints."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorseg.console import logger
from tumorseg.files import DamagedFileError, read_json
from tumorseg.labels import STRUCTURES
from tumorseg.training.checkpoint import record_path

COLUMNS = (
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_dice",
    *(f"dice_{structure}" for structure in STRUCTURES),
    "learning_rate",
    "steps",
    "skipped_steps",
    "nonfinite_steps",
    "seconds",
)


def history_table(checkpoints: Sequence[Path]) -> pd.DataFrame:
    """One row per trained epoch: losses, held-out Dice, learning rate, seconds, and the number of steps.

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
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("epoch", ignore_index=True)
