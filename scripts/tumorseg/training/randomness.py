"""Every random draw of a training, derived from where it is made and from nothing else.

No generator carries a state from one step to the next, so a training that was interrupted and resumed draws what an
uninterrupted one does.
"""

from collections.abc import Iterator

import numpy as np

_PURPOSES = ("weights", "order", "patch", "augmentation")


def generator(purpose: str, *where: int) -> np.random.Generator:
    """The generator for one purpose at one place, for instance `generator("patch", seed, fold, epoch, step)`."""
    return np.random.default_rng([_PURPOSES.index(purpose), *where])


def case_order(cases: int, seed: int, fold: int, epoch: int) -> Iterator[int]:
    """Indices of the cases in the order of an epoch: one permutation after the other, without end."""
    turn = 0
    while True:
        yield from generator("order", seed, fold, epoch, turn).permutation(cases).tolist()
        turn += 1
