"""Compare the run times of functions in one process."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ROUNDS = 7


@dataclass(frozen=True)
class Figure:
    """A measured number. most, least: bounds that it should not exceed or fall below, or None."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    def line(self) -> str:
        """Return a line with the number, its bound, and whether it is within the bound."""
        text = f"{self.name:<74} {self.value:8.3g} {self.unit:<5}"
        if self.most is not None:
            return f"{text} at most {self.most:g}: {'yes' if self.value <= self.most else 'NO'}"
        if self.least is not None:
            return f"{text} at least {self.least:g}: {'yes' if self.value >= self.least else 'NO'}"
        return text.rstrip()


def best_seconds(
    functions: Mapping[str, Callable[[], Any]],
    rounds: int = ROUNDS,
    before: Callable[[str], Any] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the shortest run time of each function. They run in turns, so that other load affects all of them.

    before: called with the name of a function before its turn, not timed.
    clock: time.process_time measures CPU time instead, for functions with one thread on a busy machine.
    """
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds + 1):  # the first round warms up the file system's cache
        for name, run in functions.items():
            before(name)
            began = clock()
            run()
            best[name] = min(best[name], clock() - began)
    return best
