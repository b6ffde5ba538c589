"""Draw the true Dice of held-out cases against the expected Dice."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorseg.formatting import format_count
from tumorseg.plotting.axes import split_into_rows, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, figure_style
from tumorseg.task import Task

_ROW_HEIGHT_INCHES: Final = 4.0
_MAX_COLUMNS: Final = 3
_TITLE_CHARACTERS: Final = 30
_LIMITS: Final = (-0.04, 1.04)
_POINT_STYLE: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 5,
    "color": "#0072b2",
    "markeredgecolor": "white",
    "markeredgewidth": 0.4,
}
_MANY_CASES: Final = 100
_SMALL_POINT_STYLE: Final = {**_POINT_STYLE, "markersize": 3.5, "markeredgewidth": 0, "alpha": 0.35}


def predicted_quality(table: pd.DataFrame, task: Task) -> Figure:
    """Return a figure with a plot of the true Dice against the expected Dice for each region.

    With too few held-out patients for an expected Dice, the soft Dice takes its place.

    Args:
        table: the rows of results/evaluation/reliability.csv.
        task: defines the regions.
    """
    titles = {region.name: wrap_name(f"{region.name}: {region.title}", _TITLE_CHARACTERS) for region in task.regions}
    present = table[table["predicted_mm3"] > 0]
    rows = {region: present[present["region"] == region] for region in titles}
    known = {region: bool(part["expected_dice"].notna().any()) for region, part in rows.items()}
    bands = list(split_into_rows(list(titles), _MAX_COLUMNS))
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT_INCHES * len(bands)), layout="constrained")
        grid = figure.subplots(len(bands), len(bands[0]), squeeze=False)
        for panels, regions in zip(grid, bands, strict=True):
            for axes, region in zip(panels, regions, strict=False):
                expected = rows[region]["expected_dice" if known[region] else "soft_dice"].to_numpy(float)
                _draw(axes, titles[region], expected, rows[region]["dice"].to_numpy(float))
                axes.set_xlabel("expected Dice" if known[region] else "soft Dice of the network")
            for unused in panels[len(regions) :]:
                unused.set_axis_off()
            panels[0].set_ylabel("true Dice")
    return figure


def _draw(axes: Axes, title: str, expected: np.ndarray, dice: np.ndarray) -> None:
    shown = np.isfinite(expected)
    axes.set_title(f"{title}\n{format_count(int(shown.sum()), 'case')}")
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle=(0, (4, 3)))
    style = _SMALL_POINT_STYLE if shown.sum() > _MANY_CASES else _POINT_STYLE
    axes.plot(expected[shown], dice[shown], clip_on=False, **style)
    axes.set(xlim=_LIMITS, ylim=_LIMITS, aspect="equal")
    axes.grid(visible=True)
