"""The learning rate in the course of a training, whose own length has no say in it: a longer training is the same."""

import math
from typing import Final, Literal

Schedule = Literal["constant", "polynomial", "cosine"]

_LEAST: Final = 0.01
"""Share of the learning rate that is left at the end of a schedule and after it."""


def learning_rate(schedule: Schedule, initial: float, epochs: int, done: float) -> float:
    """The learning rate where `done` epochs, a fraction of one included, have been trained.

    constant: `initial` always. polynomial: falls with (1 - t)^0.9, as nnU-Net's does (Isensee et al. 2021,
    doi:10.1038/s41592-020-01008-z). cosine: falls with half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).
    Both reach a hundredth of `initial` after `epochs`, which is the schedule's own length, and stay there.
    """
    if schedule == "constant":
        return initial
    share = min(1.0, done / epochs)
    left = (1 - share) ** 0.9 if schedule == "polynomial" else (1 + math.cos(math.pi * share)) / 2
    return initial * max(left, _LEAST)
