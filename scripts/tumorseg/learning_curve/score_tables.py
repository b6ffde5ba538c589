"""The tables of the learning curve: the scores of each training, and their means with the spread over the seeds."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tumorseg.formatting import format_count
from tumorseg.io.tables import read_table
from tumorseg.learning_curve.plan import START_NAMES, CurvePoint
from tumorseg.metrics.registry import columns
from tumorseg.task import Task

_TEXT_COLUMNS = ("start", "case", "channels", "region")
SCORE_COLUMNS = ("start", "training_cases", "seed", "case", "fold", "region", *columns())
SUMMARY_COLUMNS = (
    "start",
    "training_cases",
    "region",
    "seeds",
    "held_out_cases",
    "dice",
    "dice_sd",
    "dice_lowest",
    "dice_highest",
)


def read_scores(path: Path) -> pd.DataFrame:
    """Return the table of scores of the learning curve, see `collect_scores`.

    Raises:
        UserError: the table is missing or corrupted.
    """
    return read_table(path, text_columns=_TEXT_COLUMNS)


def collect_scores(tables: Mapping[CurvePoint, Path]) -> pd.DataFrame:
    """Return the scores of all points of the learning curve as one table.

    Args:
        tables: the table of scores of each point, from `evaluate.py`.

    Returns:
        The rows of the tables, with the point in front. The start model as it is has no seed.

    Raises:
        UserError: a table is missing or corrupted.
    """
    parts = [
        read_table(path, text_columns=_TEXT_COLUMNS).assign(
            start=point.start, training_cases=point.cases, seed=point.seed if point.cases else float("nan")
        )
        for point, path in tables.items()
    ]
    seeds = pd.concat([part["seed"] for part in parts], ignore_index=True)
    return pd.concat(parts, ignore_index=True).assign(seed=seeds.astype("Int64"))[list(SCORE_COLUMNS)]


def mean_dice(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the Dice of each structure, averaged over the held-out cases of all folds.

    Args:
        scores: the table of `collect_scores`.

    Returns:
        A row for each start, number of training cases, region or label, and seed, with the columns `start`,
        `training_cases`, `region`, `seed`, `held_out_cases` and `dice`.
    """
    keys = ["start", "training_cases", "region", "seed"]
    means = scores.groupby(keys, dropna=False, sort=False)["dice"].agg(["size", "mean"])
    return means.reset_index().rename(columns={"size": "held_out_cases", "mean": "dice"})


def summarise_curve(scores: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return the mean Dice by the number of training cases, with the spread over the seeds.

    Args:
        scores: the table of `collect_scores`.
        task: defines the order of the structures.

    Returns:
        A row for each start, number of training cases, and region or label. `dice` is the mean over the seeds of the
        mean over the held-out cases; `dice_sd` (unknown with one seed), `dice_lowest` and `dice_highest` are over the
        seeds.
    """
    means, structures = mean_dice(scores), list(task.structures)
    rows = [
        {
            "start": start,
            "training_cases": size,
            "region": region,
            "seeds": int(part["seed"].notna().sum()),
            "held_out_cases": int(part["held_out_cases"].iloc[0]),
            "dice": part["dice"].mean(),
            "dice_sd": part["dice"].std(ddof=1),
            "dice_lowest": part["dice"].min(),
            "dice_highest": part["dice"].max(),
        }
        for (start, size, region), part in means.groupby(["start", "training_cases", "region"], sort=False)
    ]
    rows.sort(key=lambda row: (row["start"] != "random", row["training_cases"], structures.index(row["region"])))
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def summary_lines(summary: pd.DataFrame, task: Task) -> list[str]:
    """Return a line for the terminal for each start and number of training cases, with the Dice of the regions.

    Args:
        summary: the table of `summarise_curve`.
        task: defines the regions.
    """
    lines = []
    for (start, size), part in summary.groupby(["start", "training_cases"], sort=False):
        rows = part.set_index("region").loc[list(task.region_labels)]
        means = [
            f"{region} {mean:.3f}" + ("" if pd.isna(spread) else f" ± {spread:.3f}")
            for region, mean, spread in zip(rows.index, rows["dice"], rows["dice_sd"], strict=True)
        ]
        lines.append(f"{format_count(size, 'training case')}, {START_NAMES[start]}: Dice {', '.join(means)}")
    return lines
