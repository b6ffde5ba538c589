"""Run the benchmarks that are named, or all but the longest, and print what was measured."""

import os
import sys

import pytest

from tests.benchmarks import (
    full_scale,
    inference,
    memory,
    normalisation,
    planning,
    race,
    scoring,
    step_memory,
    training,
    validation,
)
from tests.support.case_files import real_data

ON_REAL_CASES = {
    "validation": validation,
    "normalisation": normalisation,
    "inference": inference,
    "scoring": scoring,
    "memory": memory,
}
ON_MADE_CASES = {"full_scale": full_scale, "training": training, "step_memory": step_memory, "race": race}
ON_REQUEST = {"planning": planning}
"""Those that run only when they are named."""


def main(names: list[str]) -> None:
    """The benchmarks of those names; without names, all but those on request."""
    print(f"{os.cpu_count()} processors")
    try:
        root = real_data()
    except pytest.skip.Exception as reason:
        print(f"left out: {', '.join(ON_REAL_CASES)}: {reason}")
    else:
        for name, benchmark in ON_REAL_CASES.items():
            if not names or name in names:
                _tell(benchmark.figures(root))
    for name, benchmark in ON_MADE_CASES.items():
        if not names or name in names:
            _tell(benchmark.figures())
    for name, benchmark in ON_REQUEST.items():
        if name in names:
            _tell(benchmark.figures())


def _tell(figures) -> None:
    for figure in figures:
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
