"""Training of several methods in turns, each for the same CPU time."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.benchmarks.study.training import Progress

TURN_MINUTES = 0.25
"""CPU minutes of a turn."""


@dataclass
class _Trained:
    """What a method has used so far. losses: of its last turn."""

    minutes: float = 0.0
    wall_minutes: float = 0.0
    steps: int = 0
    losses: list[float] = field(default_factory=list)

    def progress(self, minutes: float) -> Progress:
        mark = min(1.0, self.minutes / minutes)
        return Progress(mark, self.minutes, self.wall_minutes, self.steps, sum(self.losses) / max(1, len(self.losses)))


def train_in_turns(
    steps: Mapping[str, Callable[[float], float]],
    minutes: float,
    clock: Callable[[], float],
    turn_minutes: float = TURN_MINUTES,
) -> Iterator[dict[str, Progress]]:
    """Train all methods in turns, so that a change of the machine's load affects all of them.

    Batches that a method reads ahead are counted in the next method's turn: at most two for each turn of some 20 steps.

    Args:
        steps: a function for each method: it trains for a step, given the fraction of the CPU time so far, and returns
            the loss.
        minutes: CPU minutes of each method.
        clock: returns the CPU minutes of this process.
        turn_minutes: CPU minutes of a turn.

    Yields:
        The progress of each method after each round. The last one has the mark 1.
    """
    trained = {name: _Trained() for name in steps}
    for turn in range(1, math.ceil(minutes / turn_minutes) + 1):
        until = min(turn * turn_minutes, minutes)
        for name, step in steps.items():
            each = trained[name]
            if each.minutes < until:
                each.losses.clear()
            while each.minutes < until:
                began, began_wall = clock(), time.monotonic()
                each.losses.append(step(each.minutes / minutes))
                each.minutes += clock() - began
                each.wall_minutes += (time.monotonic() - began_wall) / 60
                each.steps += 1
        yield {name: each.progress(minutes) for name, each in trained.items()}
