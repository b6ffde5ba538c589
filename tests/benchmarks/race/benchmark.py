"""The race as a benchmark of `make benchmark`."""

import os
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.race.command_line import race_options, run_race
from tests.benchmarks.race.product import LONG_MINUTES
from tests.benchmarks.race.table import leads, race_table
from tests.benchmarks.study.table import named, read_results
from tests.benchmarks.timing import Figure

MINUTES_VARIABLE = "TUMORSEG_RACE_MINUTES"
"""CPU minutes of each training, or several numbers, such as `8 45`."""
GOAL = 0.15
"""By how much the mean of the labels should be higher than that of the better of the others, in a short race."""


def figures() -> Iterator[Figure]:
    """Yield the mean label Dice of each method and the lead over the better of the others."""
    for text in os.environ.get(MINUTES_VARIABLE, "8").split():
        minutes = float(text)
        results = Path(f"results/race/{minutes:g}-minutes.csv")
        run_race(race_options(["run", str(results), "--minutes", text]))
        rows = read_results(results)
        print(f"\n{race_table(rows)}\n\nScores of each case: {results.resolve()}", flush=True)
        race = f"race of {minutes:g} minutes, mean label Dice"
        for name, mean in named(rows).groupby("name", sort=False)["labels"].mean().items():
            yield Figure(f"{race}, {name}", mean, "")
        for lead in leads(rows):
            if lead.measure == "labels":
                least = GOAL if minutes <= LONG_MINUTES else 0
                yield Figure(f"{race}, {lead.name} minus {lead.other}", lead.difference, "", least=least)
