"""What the Dice becomes when the network is not shown a modality."""

from typing import Final

import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from tumorseg.figures.contrast import ink_on
from tumorseg.figures.grids import in_lines
from tumorseg.figures.style import WIDTH, context
from tumorseg.task import Task

_ROW_HEIGHT: Final = 0.5
_FRAME: Final = 0.9
"""Inches for a row, and for the axes."""
_NAME_WIDTH: Final = 108
"""Characters that the names of all columns share."""
_SHADES: Final = colormaps["Blues"]


def left_out_table(scores: pd.DataFrame, task: Task) -> Figure:
    """Mean Dice of each structure (columns) with each modality left out (rows), and its change.

    scores: the rows of results/evaluation/modalities_left_out.csv.
    """
    means = scores.pivot_table(index="left_out", columns="region", values="dice", aggfunc="mean")
    rows = {"none": "none", **task.channel_titles}
    means = means.loc[list(rows), list(task.structures)]
    with context():
        figure = Figure(figsize=(WIDTH, _FRAME + _ROW_HEIGHT * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.imshow(means.to_numpy(), cmap=_SHADES, vmin=0, vmax=1, aspect="auto")
        for row in range(len(means)):
            for column in range(len(means.columns)):
                value = means.iat[row, column]
                change = f"\n{value - means.iat[0, column]:+.3f}".replace("-", "\N{MINUS SIGN}") if row else ""
                ink = ink_on(_SHADES(value))
                axes.text(column, row, f"{value:.3f}{change}", ha="center", va="center", color=ink, fontsize=8.5)
        characters = _NAME_WIDTH // len(means.columns)
        names = {name: in_lines(title, characters) for name, title in task.structure_titles.items()}
        heads = [f"{structure.replace('_', ' ')}\n{names[structure]}" for structure in means.columns]
        axes.set_xticks(range(len(means.columns)), heads)
        axes.set_yticks(range(len(means)), list(rows.values()))
        axes.set(ylabel="modality left out")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure
