"""Schedules of a training: the epochs after which checkpoints are saved, and the learning rate.

Snakemake's planning imports this module, so it imports no packages. Neither schedule depends on the number of
epochs: 2 epochs and later 4 give the same result as 4 at once.
"""

import math
from typing import Final, Literal


def checkpoint_epochs(epochs: int, interval: int) -> list[int]:
    """The epochs after which a checkpoint is saved: every `interval`-th, and the last."""
    return sorted({*range(interval, epochs + 1, interval), epochs})


def previous_checkpoint_epoch(epoch: int, interval: int) -> int:
    """The epoch of the checkpoint from which the training of `epoch` goes on; 0 for the beginning.

    It depends on no number of epochs, so that 2 epochs and later 4 are the same as 4 at once.
    """
    return (epoch - 1) // interval * interval


Schedule = Literal["constant", "polynomial", "cosine"]

_FINAL_FRACTION: Final = 0.01
"""Share of the learning rate that is left at the end of a schedule and after it."""


def learning_rate(schedule: Schedule, initial: float, schedule_epochs: int, epochs_done: float) -> float:
    """The learning rate where `done` epochs, a fraction of one included, have been trained.

    constant: `initial` always. polynomial: falls with (1 - t)^0.9, as nnU-Net's does (Isensee et al. 2021,
    doi:10.1038/s41592-020-01008-z). cosine: falls with half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).
    Both reach a hundredth of `initial` after `epochs`, which is the schedule's own length, and stay there.
    """
    if schedule == "constant":
        return initial
    share = min(1.0, epochs_done / schedule_epochs)
    left = (1 - share) ** 0.9 if schedule == "polynomial" else (1 + math.cos(math.pi * share)) / 2
    return initial * max(left, _FINAL_FRACTION)
