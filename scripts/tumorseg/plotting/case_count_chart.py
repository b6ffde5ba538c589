"""Draw the learning curve: the Dice of each region against the number of training cases."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tumorseg.learning_curve.plan import START_NAMES, Start
from tumorseg.plotting.axes import split_into_rows, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, figure_style
from tumorseg.task import Task

_ROW_HEIGHT_INCHES: Final = 3.6
_MAX_COLUMNS: Final = 3
_TITLE_CHARACTERS: Final = 32
_LIMITS: Final = (-0.02, 1.02)
_STYLES: Final[dict[Start, dict[str, Any]]] = {
    "random": {"color": "#0072b2", "linestyle": "-", "marker": "o"},
    "model": {"color": "#d55e00", "linestyle": "--", "marker": "s"},
}
_LINE: Final[dict[str, Any]] = {"linewidth": 1.6, "markersize": 5, "elinewidth": 1.2, "capsize": 3}
_SEED: Final[dict[str, Any]] = {"linestyle": "none", "markersize": 4, "alpha": 0.6, "markeredgewidth": 0}


def dice_by_training_cases(means: pd.DataFrame, task: Task) -> Figure:
    """Return a figure with a plot for each region and a line for each start of the trainings.

    Args:
        means: the table of `learning_curve.score_tables.mean_dice`.
        task: defines the regions.
    """
    titles = {region.name: wrap_name(f"{region.name}: {region.title}", _TITLE_CHARACTERS) for region in task.regions}
    bands = list(split_into_rows(list(titles), _MAX_COLUMNS))
    sizes = sorted(means["training_cases"].unique().tolist())
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT_INCHES * len(bands)), layout="constrained")
        panels = figure.subplots(len(bands), max(map(len, bands)), squeeze=False, sharey=True)
        for row, regions in zip(panels, bands, strict=True):
            for axes in row[len(regions) :]:
                axes.set_visible(False)
            row[0].set_ylabel("mean Dice of the held-out cases")
            for axes, region in zip(row, regions, strict=False):
                axes.set(title=titles[region], xlabel="number of training cases", ylim=_LIMITS)
                _set_size_axis(axes, sizes)
                for start in _STYLES:
                    _draw_line(axes, means[(means["region"] == region) & (means["start"] == start)], _STYLES[start])
        figure.legend(handles=_legend_handles(means), loc="outside lower center", ncols=3)
    return figure


def _draw_line(axes: Axes, means: pd.DataFrame, style: dict[str, Any]) -> None:
    """Draw the mean over the seeds with its range, and a mark for each seed."""
    if means.empty:
        return
    by_size = means.groupby("training_cases")["dice"]
    centre, low, high = by_size.mean(), by_size.min(), by_size.max()
    spread = np.array([centre - low, high - centre]).clip(0)
    axes.errorbar(centre.index, centre, spread, **_LINE, **style)
    axes.plot(means["training_cases"], means["dice"], **{**style, **_SEED})


def _set_size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    """Make the axis of the numbers of cases logarithmic above the smallest one, with a tick at each number."""
    smallest = min(size for size in sizes if size > 0) if max(sizes) > 0 else 1
    axes.set_xscale("symlog", linthresh=smallest, linscale=0.4)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(visible=True)


def _legend_handles(means: pd.DataFrame) -> list[Line2D]:
    """Return a legend entry for each start, and one for the marks of single seeds."""
    starts = [start for start in _STYLES if (means["start"] == start).any()]
    lines = [
        Line2D([], [], linewidth=1.6, markersize=5, **_STYLES[start], label=f"trained {START_NAMES[start]}")
        for start in starts
    ]
    marker = _STYLES[starts[0]]["marker"]
    return [
        *lines,
        Line2D([], [], **{**_SEED, "color": "#555555", "marker": marker}, label="one seed; bars: lowest to highest"),
    ]
