"""The table of a race for the documentation."""

from dataclasses import dataclass

import pandas as pd

from tests.benchmarks.race.peers import is_peer
from tests.benchmarks.study.table import markdown_table, named, paired_difference

MEASURES = ("labels", "regions")
"""Means that are compared: of the three labels, and of the three regions."""


@dataclass(frozen=True)
class Lead:
    """The difference between a method of this workflow and the better of the others.

    difference: mean over the test cases, folds and seeds.
    text: the same with its standard error over the test cases.
    """

    name: str
    other: str
    measure: str
    difference: float
    text: str


def better_peer(rows: pd.DataFrame, measure: str = "labels") -> str | None:
    """Return the other method with the highest mean and its way to predict; None if there is no other method."""
    peers = named(rows)
    means = peers[peers["setup"].map(is_peer).astype(bool)].groupby("name")[measure].mean()
    return None if means.empty else str(means.idxmax())


def leads(rows: pd.DataFrame) -> list[Lead]:
    """Return the differences between each method of this workflow and the better of the others, for each measure."""
    table = named(rows)
    ours = table[~table["setup"].map(is_peer).astype(bool)]
    found = []
    for measure in MEASURES:
        other = better_peer(rows, measure)
        if other is None:
            continue
        theirs = table[table["name"] == other]
        for name, mine in ours.groupby("name", sort=False):
            found.append(Lead(str(name), other, measure, *paired_difference(mine, theirs, [measure])))
    return found


def race_table(rows: pd.DataFrame) -> str:
    """Return a Markdown table of the mean Dice of each method, and a sentence for each lead.

    rows: from `study.table.read_results`.
    """
    sentences = [
        f"- {lead.name} minus {lead.other}, the better of the others, mean of the {lead.measure}: {lead.text}"
        for lead in leads(rows)
    ]
    table = markdown_table(rows, against=better_peer(rows))
    return "\n".join([table, "", *sentences] if sentences else [table])
