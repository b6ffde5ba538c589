"""Measuring things against each other, in one process and in turns."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ROUNDS = 7


@dataclass(frozen=True)
class Figure:
    """A number that was measured. most, least: what it should not be above or below, None for no such bound."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    def line(self) -> str:
        """The number in words, with its bound and whether it holds."""
        text = f"{self.name:<74} {self.value:8.3g} {self.unit:<5}"
        if self.most is not None:
            return f"{text} at most {self.most:g}: {'yes' if self.value <= self.most else 'NO'}"
        if self.least is not None:
            return f"{text} at least {self.least:g}: {'yes' if self.value >= self.least else 'NO'}"
        return text.rstrip()


def best_seconds(
    contestants: Mapping[str, Callable[[], Any]],
    rounds: int = ROUNDS,
    before: Callable[[str], Any] = lambda _: None,
) -> dict[str, float]:
    """The shortest time that each takes. They run in turns, so that a busy moment of the machine meets all of them.

    before: is called with the name of each before its turn, and not timed.
    """
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds + 1):  # the first round warms up the file system's cache
        for name, run in contestants.items():
            before(name)
            began = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - began)
    return best
