"""The course of a training, gathered from the records beside its checkpoints."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorseg.console import logger
from tumorseg.files import read_json
from tumorseg.training.checkpoint import record_path


def history_table(checkpoints: Sequence[Path]) -> pd.DataFrame:
    """One row per trained epoch: losses, held-out Dice, learning rate, steps, skipped steps, seconds.

    `seconds` are those of the job, spread evenly over its epochs. A checkpoint whose record is unreadable, which its
    verification has told already, has no rows.
    """
    rows = []
    for path in map(record_path, checkpoints):
        try:
            record = read_json(path)
            epochs, seconds = record["epochs"], record["seconds"]
            rows += [{**epoch, "seconds": seconds / len(epochs)} for epoch in epochs]
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s is unreadable (%s): its epochs are missing in the history", path, error)
    return pd.DataFrame(rows).sort_values("epoch", ignore_index=True)
