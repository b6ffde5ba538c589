"""Draw the share of lesions that are found, by their volume, and the volumes of false lesions."""

from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tumorseg.formatting import format_count
from tumorseg.plotting.axes import FEW_CASES, set_volume_axis, split_into_rows, volume_limits, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.task import Task

_ROW_HEIGHT_INCHES: Final = 4.8
_MAX_COLUMNS: Final = 3
_TITLE_CHARACTERS: Final = 30
_MM3_PER_ML: Final = 1000
_BIN_EDGES_ML: Final = (0.0, 0.005, 0.05, 0.5, 5.0, 50.0, 500.0, 5000.0)
"""Decades around 0.05 ml, up to which the lesion-wise scores do not count a lesion. The first range has no start."""
_QUANTILE: Final = 1.96
_POINT: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "|",
    "markersize": 9,
    "color": "#0072b2",
    "markeredgewidth": 1.2,
    "alpha": 0.7,
}
_MISSED_COLOUR: Final = "#d55e00"
_RATE: Final[dict[str, Any]] = {"color": TEXT_COLOUR, "marker": "o", "markersize": 6, "linestyle": "none"}
_FALSE_COLOUR: Final = "#e69f00"
_NOT_COUNTED: Final[dict[str, Any]] = {"color": "#f0f0f0", "zorder": 0}
_MIN_LESION_ML: Final = 0.05


def wilson_interval(found: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share.

    Args:
        found: number of successes.
        total: number of trials, at least one.

    References:
        Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    share, z2 = found / total, _QUANTILE**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _QUANTILE * np.sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def lesion_detection(lesions: pd.DataFrame, task: Task) -> Figure:
    """Return a figure with the detection rate by volume of the lesion, and the false lesions, for each region.

    A rate and its interval are drawn for a range of volumes with at least `FEW_CASES` lesions. Of all others there are
    only the numbers.

    Args:
        lesions: the rows of results/evaluation/lesions.csv.
        task: defines the regions.

    References:
        Wilson 1927, doi:10.1080/01621459.1927.10502953 (intervals).
    """
    bands = list(split_into_rows(task.regions, _MAX_COLUMNS))
    limits_ml = volume_limits(lesions["mm3"].to_numpy(float) / _MM3_PER_ML) if len(lesions) else (0.01, 100.0)
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT_INCHES * len(bands)), layout="constrained")
        grid = figure.subplots(
            2 * len(bands), len(bands[0]), squeeze=False, sharey="row", height_ratios=(3, 1) * len(bands)
        )
        for upper, lower, regions in zip(grid[0::2], grid[1::2], bands, strict=True):
            for above, below, region in zip(upper, lower, regions, strict=False):
                rows = lesions[lesions["region"] == region.name]
                title = wrap_name(f"{region.name}: {region.title}", _TITLE_CHARACTERS)
                _draw_rates(above, title, rows[rows["outcome"] != "false"], limits_ml)
                _draw_false(below, rows[rows["outcome"] == "false"], limits_ml)
            for unused in (*upper[len(regions) :], *lower[len(regions) :]):
                unused.set_axis_off()
            upper[0].set_ylabel("share of lesions found")
            lower[0].set_ylabel("false\nlesions")
        figure.legend(handles=_legend_handles(), loc="outside lower center", ncols=3)
    return figure


def _draw_rates(axes: Axes, title: str, rows: pd.DataFrame, limits_ml: tuple[float, float]) -> None:
    volumes_ml = rows["mm3"].to_numpy(float) / _MM3_PER_ML
    found = (rows["outcome"] == "found").to_numpy()
    count = f"{int(found.sum()):,} of {format_count(len(found), 'lesion')} found" if len(found) else "no lesions"
    axes.set_title(f"{title}\n{count}")
    axes.axvspan(limits_ml[0], _MIN_LESION_ML, **_NOT_COUNTED)
    axes.plot(volumes_ml[found], np.full(found.sum(), 1.07), **_POINT)
    axes.plot(volumes_ml[~found], np.full((~found).sum(), -0.07), **{**_POINT, "color": _MISSED_COLOUR})
    for low, high in pairwise(_BIN_EDGES_ML):
        inside = found[(volumes_ml > low) & (volumes_ml <= high)]
        middle = np.sqrt(max(low, limits_ml[0]) * min(high, limits_ml[1]))
        if len(inside):
            _draw_rate(axes, middle, inside)
    axes.set(ylim=(-0.25, 1.14), yticks=[0, 0.25, 0.5, 0.75, 1])
    axes.grid(visible=True, axis="y")
    _set_axis(axes, limits_ml)
    axes.tick_params(axis="x", labelbottom=False)


def _draw_rate(axes: Axes, middle_ml: float, found: NDArray[np.bool_]) -> None:
    """Draw the share of a range of volumes with its interval, if it has enough lesions, and write the numbers."""
    hits, total = int(found.sum()), len(found)
    if total >= FEW_CASES:
        low, high = wilson_interval(hits, total)
        rate = hits / total
        axes.errorbar(middle_ml, rate, [[rate - low], [high - rate]], elinewidth=1.4, capsize=3, zorder=4, **_RATE)
    axes.text(middle_ml, -0.14, f"{hits:,}/{total:,}", ha="center", va="top", fontsize=8)


def _draw_false(axes: Axes, rows: pd.DataFrame, limits_ml: tuple[float, float]) -> None:
    volumes_ml = rows["mm3"].to_numpy(float) / _MM3_PER_ML
    counts, edges = np.histogram(volumes_ml, np.array(_BIN_EDGES_ML))
    shown = np.clip(edges, *limits_ml)
    axes.bar(shown[:-1], counts, np.diff(shown), align="edge", color=_FALSE_COLOUR, edgecolor="white", linewidth=0.8)
    for low, high, number in zip(shown[:-1], shown[1:], counts, strict=True):
        if number and high > low:
            axes.text(np.sqrt(low * high), number, f"{number:,}", ha="center", va="bottom", fontsize=8)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.margins(y=0.35)
    axes.set_xlabel(f"volume, ml ({format_count(len(rows), 'false lesion')})")
    axes.grid(visible=True, axis="y")
    _set_axis(axes, limits_ml)


def _set_axis(axes: Axes, limits_ml: tuple[float, float]) -> None:
    """Make the x axis one of volumes, with a line at each end of a range."""
    set_volume_axis(axes, limits_ml)
    for edge in _BIN_EDGES_ML:
        if limits_ml[0] < edge < limits_ml[1]:
            axes.axvline(edge, color="#cccccc", linewidth=0.8, linestyle=":", zorder=0.5)


def _legend_handles() -> list[Artist]:
    return [
        Line2D([], [], **_POINT, label="found lesion (top)"),
        Line2D([], [], **{**_POINT, "color": _MISSED_COLOUR}, label="missed lesion (bottom)"),
        Line2D([], [], **_RATE, label=f"share, 95 % interval ({FEW_CASES} lesions or more)"),
        Patch(facecolor=_FALSE_COLOUR, label="false lesions"),
        Patch(facecolor=_NOT_COUNTED["color"], edgecolor="#bbbbbb", label="lesions that the scores do not count"),
    ]
