"""Draw scatter plots of the Dice of each case against the volume of the region in its reference."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.stats import spearmanr

from tumorseg.plotting.axes import FEW_CASES, set_volume_axis, split_into_rows, volume_limits, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.task import Task

_ROW_HEIGHT_INCHES: Final = 4.2
"""Height of a row of plots, with its share of the legend."""
_MAX_COLUMNS: Final = 3
_TITLE_CHARACTERS: Final = 32
_LIMITS: Final = (-0.04, 1.04)
_STRIP_WIDTHS: Final = (1, 5)
"""Relative widths of the strip of cases without the region, and of the plot of the others."""
_POINT_STYLE: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 5,
    "color": "#0072b2",
    "markeredgecolor": "white",
    "markeredgewidth": 0.4,
}
_SMALL_POINT_STYLE: Final = {**_POINT_STYLE, "markersize": 3.5, "markeredgewidth": 0, "alpha": 0.35}
_ABSENT_BACKGROUND: Final = "#f3f3f3"
_MANY_CASES: Final = 100
"""With more cases, points are small, and each tenth of the cases is summarised."""
_DECILES: Final = 10
_DECILE_STYLE: Final[dict[str, Any]] = {
    "color": TEXT_COLOUR,
    "linestyle": "-",
    "linewidth": 1.2,
    "marker": "s",
    "markersize": 4.5,
    "markeredgecolor": "white",
    "markeredgewidth": 0.6,
}
_ABSENT_STYLE: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "D",
    "markersize": 5,
    "color": TEXT_COLOUR,
    "markerfacecolor": "none",
}


def dice_by_volume(scores: pd.DataFrame, task: Task) -> Figure:
    """Return a figure with a plot of Dice against volume for each region.

    If the region is absent from the reference of a case, its Dice is defined by convention: such cases are counted in a
    strip on the left.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        task: defines the channels, labels and regions.
    """
    titles = {region.name: wrap_name(f"{region.name}: {region.title}", _TITLE_CHARACTERS) for region in task.regions}
    rows = {region: scores[scores["region"] == region] for region in titles}
    bands = list(split_into_rows(list(titles), _MAX_COLUMNS))
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT_INCHES * len(bands)), layout="constrained")
        subfigures: Any = figure.subfigures(len(bands), 1) if len(bands) > 1 else [figure]
        for subfigure, regions in zip(subfigures, bands, strict=True):
            strips = [bool((rows[region]["reference_mm3"] == 0).any()) for region in regions]
            widths = [width for strip in strips for width in (_STRIP_WIDTHS if strip else _STRIP_WIDTHS[1:])]
            panels = subfigure.subplots(1, len(widths), width_ratios=widths, squeeze=False).flat
            for region, strip in zip(regions, strips, strict=True):
                volumes_mm3, dice = (rows[region][column].to_numpy(float) for column in ("reference_mm3", "dice"))
                present = volumes_mm3 > 0
                if strip:
                    _draw_absent(next(panels), dice[~present])
                _draw_present(
                    next(panels), titles[region], volumes_mm3[present] / 1000, dice[present], beside_absent=strip
                )
            subfigure.axes[0].set_ylabel("Dice")
        figure.legend(handles=_legend_handles(rows.values()), loc="outside lower center", ncols=3)
    return figure


def rank_correlation(volumes_ml: NDArray[np.float64], dice: NDArray[np.float64]) -> float | None:
    """Return Spearman's rank correlation of volume and Dice.

    Args:
        volumes_ml: volume of the region in the reference of each case, float64 (n,).
        dice: Dice of each case, float64 (n,).

    Returns:
        The correlation, -1 to 1; None with fewer than `FEW_CASES` cases or without variation.
    """
    if len(dice) < FEW_CASES or np.ptp(dice) == 0 or np.ptp(volumes_ml) == 0:
        return None
    return float(spearmanr(volumes_ml, dice).statistic)


def _draw_present(
    axes: Axes, title: str, volumes_ml: NDArray[np.float64], dice: NDArray[np.float64], *, beside_absent: bool
) -> None:
    """Draw the cases that have the region; `beside_absent`: the strip on the left already has the scale of Dice."""
    correlation = rank_correlation(volumes_ml, dice)
    correlation_text = "" if correlation is None else f"Spearman ρ = {correlation:.2f}, ".replace("-", "\N{MINUS SIGN}")
    axes.set_title(f"{title}\n{correlation_text}n = {len(dice):,}")
    axes.set(ylim=_LIMITS, xlabel="volume in the reference, ml")
    axes.grid(visible=True)
    if beside_absent:
        axes.tick_params(axis="y", left=False, labelleft=False)
        axes.spines["left"].set_visible(False)
    if not dice.size:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "absent from all references", transform=axes.transAxes, ha="center", va="center")
        return
    axes.plot(volumes_ml, dice, **(_SMALL_POINT_STYLE if len(dice) > _MANY_CASES else _POINT_STYLE))
    if len(dice) > _MANY_CASES:
        _draw_deciles(axes, volumes_ml, dice)
    set_volume_axis(axes, volume_limits(volumes_ml))


def _draw_deciles(axes: Axes, volumes_ml: NDArray[np.float64], dice: NDArray[np.float64]) -> None:
    tenths = np.array_split(np.argsort(volumes_ml, kind="stable"), _DECILES)
    middle = [float(np.median(volumes_ml[tenth])) for tenth in tenths]
    low, median, high = np.array([np.percentile(dice[tenth], (25, 50, 75)) for tenth in tenths]).T
    axes.errorbar(middle, median, (median - low, high - median), elinewidth=1.2, zorder=3, **_DECILE_STYLE)


def _draw_absent(axes: Axes, dice: NDArray[np.float64]) -> None:
    """Draw a mark for each Dice value, with the number of its cases."""
    scores, counts = np.unique(dice, return_counts=True)
    axes.plot(np.full(len(scores), 0.28), scores, **_ABSENT_STYLE)
    for score, count in zip(scores, counts, strict=True):
        axes.text(0.5, score, f"{count:,}", va="center", fontsize=8)
    axes.set(ylim=_LIMITS, xlim=(0, 1), xticks=[0.5], xticklabels=["absent"], facecolor=_ABSENT_BACKGROUND)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=True, axis="y")


def _legend_handles(regions: Collection[pd.DataFrame]) -> list[Artist]:
    cases = max(rows["case"].nunique() for rows in regions)
    handles: list[Artist] = [Line2D([], [], **_POINT_STYLE, label=f"one case (of {cases:,})")]
    if any((rows["reference_mm3"] > 0).sum() > _MANY_CASES for rows in regions):
        handles.append(Line2D([], [], **_DECILE_STYLE, label="median and quartiles of each tenth of the cases"))
    if any((rows["reference_mm3"] == 0).any() for rows in regions):
        handles.append(Line2D([], [], **_ABSENT_STYLE, label="absent from the reference, with the number of cases"))
    return handles
