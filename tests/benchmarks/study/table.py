"""The results of a study: a CSV file with a row for each held-out case, and tables of their means."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from tests.support.builders import TASK

KEY = ["setup", "digest", "fold", "seed"]
DICE = list(TASK.structures)
COLUMNS = [*KEY, "mark", "mirroring", "case", "minutes", "wall_minutes", "steps", "loss", *DICE]


def read_results(path: Path) -> pd.DataFrame:
    """Return the rows of a study so far, with the mean of the regions and of the labels; none without a file."""
    text = dict.fromkeys(["setup", "digest", "case"], str)
    rows = pd.read_csv(path, dtype=text) if path.exists() else pd.DataFrame(columns=COLUMNS)
    rows["regions"] = rows[list(TASK.region_labels)].mean(axis="columns")
    rows["labels"] = rows[list(TASK.label_structures)].mean(axis="columns")
    return rows


def finished(rows: pd.DataFrame, *, mirroring: bool) -> set[tuple[Any, ...]]:
    """Return the key of each training whose last evaluation is in the table."""
    last = rows[(rows["mark"] == 1) & (rows["mirroring"] == mirroring)]
    return set(last[KEY].itertuples(index=False, name=None))


def drop_unfinished(path: Path, *, mirroring: bool) -> pd.DataFrame:
    """Delete the rows of trainings that were interrupted, and return the others.

    Only one training can have been interrupted between its two last evaluations. If several lack the one with
    mirroring, end the program instead: they were finished without it.
    """
    rows = read_results(path)
    done = finished(rows, mirroring=mirroring)
    if len(without := finished(rows, mirroring=False) - done) > 1:
        raise SystemExit(
            f"{path}: {len(without)} trainings were scored without mirroring; name another table, or set mirroring to "
            "false"
        )
    rows = rows[pd.Series([key in done for key in rows[KEY].itertuples(index=False, name=None)], rows.index, bool)]
    if path.exists():
        rows[COLUMNS].to_csv(path, index=False)
    return rows


def append(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Append rows to the file of a study."""
    table = pd.DataFrame(rows, columns=COLUMNS).round(dict.fromkeys([*DICE, "minutes", "wall_minutes", "loss"], 5))
    table.to_csv(path, mode="a", header=not path.exists(), index=False)


def markdown_table(rows: pd.DataFrame, *, mark: float = 1, against: str | None = None) -> str:
    """Return a table with a row for each set-up: means over folds and seeds, ± the standard deviation over seeds.

    rows: from `read_results`.
    mark: fraction of the CPU time.
    against: a set-up; the last column then has the paired difference from it in the mean of all six structures, ± its
        standard error over the held-out cases.
    """
    rows = named(rows, mark)
    shown = [*DICE, "regions", "labels"]
    header = ["set-up", "seeds", "folds", *shown, "steps", "CPU min", *([f"against {against}"] if against else [])]
    lines = [header, ["---"] * len(header)]
    for name, found in rows.groupby("name", sort=False):
        folds = found.groupby(["seed", "fold"])[[*shown, "steps", "minutes"]].mean()
        seeds = folds.groupby("seed").mean()
        spread = seeds.std() if len(seeds) > 1 else None
        dice = [
            f"{seeds[each].mean():.3f}" + (f" ± {spread[each]:.3f}" if spread is not None else "") for each in shown
        ]
        cells = [name, str(len(seeds)), str(found["fold"].nunique()), *dice]
        cells += [f"{seeds['steps'].mean():.0f}", f"{seeds['minutes'].mean():.1f}"]
        lines.append([*cells, *([_difference(rows, found, against)] if against else [])])
    return markdown(lines)


def markdown(lines: Iterable[Iterable[str]]) -> str:
    """Return the lines of cells of a table as Markdown; the second line sets the alignment."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def named(rows: pd.DataFrame, mark: float = 1) -> pd.DataFrame:
    """Return the rows of a mark with a column `name`: the set-up, and whether it predicts with mirroring."""
    rows = rows[rows["mark"] == mark]
    return rows.assign(name=rows["setup"] + rows["mirroring"].astype(bool).map({True: ", mirroring", False: ""}))


def _difference(rows: pd.DataFrame, found: pd.DataFrame, against: str) -> str:
    """Return the mean difference over the cases, folds and seeds that two set-ups have in common."""
    return paired_difference(found, rows[rows["name"] == against], ["regions", "labels"])[1]


def paired_difference(ours: pd.DataFrame, theirs: pd.DataFrame, columns: list[str]) -> tuple[float, str]:
    """Return the mean difference between two set-ups, and a text with its standard error over the held-out cases.

    ours, theirs: rows of the set-ups, which are paired by case, fold and seed.
    columns: a pair is compared in the mean of these.
    """
    pairing = ["case", "fold", "seed"]
    one, other = (table.set_index(pairing)[columns].mean(axis="columns") for table in (ours, theirs))
    by_case = (one - other).dropna().groupby("case").mean()
    if by_case.empty:
        return float("nan"), "–"
    return float(by_case.mean()), f"{by_case.mean():+.3f} ± {by_case.sem():.3f}"
