"""Run the named benchmarks, or all except the longest, and print the measurements."""

import os
import sys

import pytest

from tests.benchmarks import (
    challenge_2026,
    full_scale,
    inference,
    memory,
    normalisation,
    planning,
    resampling,
    scoring,
    step_memory,
    training,
    validation,
)
from tests.benchmarks.race import benchmark as race
from tests.support.case_files import real_data

ON_REAL_CASES = {
    "validation": validation,
    "normalisation": normalisation,
    "resampling": resampling,
    "inference": inference,
    "scoring": scoring,
    "memory": memory,
}
ON_SYNTHETIC_CASES = {
    "challenge_2026": challenge_2026,
    "full_scale": full_scale,
    "training": training,
    "step_memory": step_memory,
}
ON_REQUEST = {"planning": planning, "race": race}
"""Benchmarks that run only when they are named."""


def main(names: list[str]) -> None:
    """Run the named benchmarks; without names, all except those on request."""
    print(f"{os.cpu_count()} processors")
    try:
        root = real_data()
    except pytest.skip.Exception as reason:
        print(f"skipped: {', '.join(ON_REAL_CASES)}: {reason}")
    else:
        for name, benchmark in ON_REAL_CASES.items():
            if not names or name in names:
                _print_figures(benchmark.figures(root))
    for name, benchmark in ON_SYNTHETIC_CASES.items():
        if not names or name in names:
            _print_figures(benchmark.figures())
    for name, benchmark in ON_REQUEST.items():
        if name in names:
            _print_figures(benchmark.figures())


def _print_figures(figures) -> None:
    for figure in figures:
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
