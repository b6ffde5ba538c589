"""Schedules of the training: the epochs after which checkpoints are saved, and the learning rate.

Snakemake imports this module to plan the jobs, so it imports no packages. Neither schedule depends on the number of
epochs: training 2 epochs and later 4 gives the same result as 4 at once.
"""

import math
from typing import Final, Literal


def checkpoint_epochs(epochs: int, epochs_per_checkpoint: int) -> list[int]:
    """Return the epochs after which a checkpoint is saved: each multiple of `epochs_per_checkpoint`, and the last."""
    return sorted({*range(epochs_per_checkpoint, epochs + 1, epochs_per_checkpoint), epochs})


def previous_checkpoint_epoch(epoch: int, epochs_per_checkpoint: int) -> int:
    """Return the epoch of the checkpoint from which training up to `epoch` starts; 0 for the initial state."""
    return (epoch - 1) // epochs_per_checkpoint * epochs_per_checkpoint


Schedule = Literal["constant", "polynomial", "cosine"]

_FIRST_FRACTION: Final = 0.04
"""Share of the highest learning rate with which a warm-up begins."""
_FINAL_FRACTION: Final = 0.01
"""Share of the highest learning rate at the end of a schedule and after it."""


def learning_rate(
    schedule: Schedule, highest: float, schedule_epochs: int, epochs_done: float, warmup_epochs: float = 0
) -> float:
    """Return the learning rate after a number of epochs: a linear rise during the warm-up, then the schedule.

    Args:
        schedule: `constant`; `polynomial`, which falls with (1 - t)^0.9; or `cosine`, which falls with half a cosine.
            With a warm-up, `cosine` is the one-cycle schedule.
        highest: learning rate after the warm-up.
        schedule_epochs: length of warm-up and decay. The learning rate then stays at a hundredth of `highest`.
        epochs_done: epochs trained so far, with fractions.
        warmup_epochs: length of the warm-up, shorter than `schedule_epochs`.

    References:
        Polynomial: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.
        Cosine: Loshchilov and Hutter 2017, arXiv:1608.03983.
        One cycle: Smith and Topin 2018, arXiv:1708.07120; here the momentum stays the same.
    """
    if epochs_done < warmup_epochs:
        return highest * (_FIRST_FRACTION + (1 - _FIRST_FRACTION) * epochs_done / warmup_epochs)
    if schedule == "constant":
        return highest
    progress = min(1.0, (epochs_done - warmup_epochs) / (schedule_epochs - warmup_epochs))
    fraction = (1 - progress) ** 0.9 if schedule == "polynomial" else (1 + math.cos(math.pi * progress)) / 2
    return highest * max(fraction, _FINAL_FRACTION)
