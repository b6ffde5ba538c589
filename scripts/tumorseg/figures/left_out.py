"""What the Dice becomes when the network is not shown a modality."""

from typing import Final

import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from tumorseg.figures.contrast import ink_on
from tumorseg.figures.style import WIDTH, context
from tumorseg.labels import LABEL_NAMES, MODALITY_NAMES, REGION_NAMES, STRUCTURES

_HEIGHT: Final = 3.4
_ROWS: Final = {"none": "none", **MODALITY_NAMES}
_SHADES: Final = colormaps["Blues"]


def left_out_table(scores: pd.DataFrame) -> Figure:
    """Mean Dice of each structure (columns) with each modality left out (rows), and its change.

    scores: the rows of results/evaluation/modalities_left_out.csv.
    """
    means = scores.pivot_table(index="left_out", columns="region", values="dice", aggfunc="mean")
    means = means.loc[list(_ROWS), list(STRUCTURES)]
    with context():
        figure = Figure(figsize=(WIDTH, _HEIGHT), layout="constrained")
        axes = figure.subplots()
        axes.imshow(means.to_numpy(), cmap=_SHADES, vmin=0, vmax=1, aspect="auto")
        for row in range(len(means)):
            for column in range(len(means.columns)):
                value = means.iat[row, column]
                change = f"\n{value - means.iat[0, column]:+.3f}".replace("-", "\N{MINUS SIGN}") if row else ""
                ink = ink_on(_SHADES(value))
                axes.text(column, row, f"{value:.3f}{change}", ha="center", va="center", color=ink, fontsize=8.5)
        axes.set_xticks(range(len(means.columns)), [_column(structure) for structure in means.columns])
        axes.set_yticks(range(len(means)), list(_ROWS.values()))
        axes.set(ylabel="modality left out")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def _column(structure: str) -> str:
    name = REGION_NAMES.get(structure) or LABEL_NAMES[STRUCTURES[structure][0]]
    return f"{structure.replace('_', ' ')}\n{name}".replace("necrotic / ", "necrotic /\n")
