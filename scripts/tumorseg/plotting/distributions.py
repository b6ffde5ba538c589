"""Draw box plots of the scores, with a point for each case, by region and label."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from tumorseg.formatting import format_count
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import metrics
from tumorseg.plotting.axes import FEW_CASES, distinct_structures, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.task import Task

_ROW_HEIGHT: Final = 3.6
_LEGEND_HEIGHT: Final = 0.4
"""Heights in inches of a row of plots and of the legend."""
_TICK_CHARACTERS: Final = 10
_MAX_SIDE_BY_SIDE: Final = 6
"""Up to this many structures, two plots are side by side."""
BOX_COLOUR: Final = "#dbe6ee"
LINE_COLOUR: Final = "#777777"
POINT_STYLE: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "o",
    "color": "#0072b2",
    "markersize": 4,
    "markeredgecolor": "white",
    "markeredgewidth": 0.4,
}
_SMALL_POINT: Final = {**POINT_STYLE, "markersize": 1.8, "markeredgewidth": 0, "alpha": 0.6}
ABSENT_STYLE: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "D",
    "color": TEXT_COLOUR,
    "markersize": 4,
    "markerfacecolor": "none",
}
_MANY_CASES: Final = 100
"""With more cases, points would cover the box and each other."""
_MANY_CASES_LEVELS: Final = 120
_HALF_BOX: Final = 0.4
_MAX_OFFSET: Final = 0.28
"""Half the width of a box, and maximal offset of points, where structures are 1 apart; the ends of the median line
stay visible."""


def score_distributions(scores: pd.DataFrame, task: Task) -> Figure:
    """Return a figure with box plots, by structure, of the metrics whose records have `distributions`.

    A label that equals a region is left out. With fewer than `FEW_CASES` cases, there is no box, and the first metric
    only.

    If a structure is absent from the reference of a case, its score is defined by convention, and its point is a hollow
    diamond. With many cases there is one diamond for each score, with the number of cases.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        task: defines the channels, labels and regions.
    """
    few = scores["case"].nunique() < FEW_CASES
    plotted_metrics = metrics("distributions")[: 1 if few else None]
    columns = 2 if len(distinct_structures(task)) <= _MAX_SIDE_BY_SIDE and not few else 1
    rows = -(-len(plotted_metrics) // columns)
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT * rows + _LEGEND_HEIGHT), layout="constrained")
        panels = iter(figure.subplots(rows, columns, squeeze=False).flat)
        for metric, axes in zip(plotted_metrics, panels, strict=False):
            _draw_score(axes, scores, metric, task)
        for unused in panels:
            unused.remove()
        figure.legend(handles=_legend_handles(scores), loc="outside lower center", ncols=3)
    return figure


def swarm_offsets(values: NDArray[np.float64], level_count: int = 40) -> NDArray[np.float64]:
    """Return a sideways offset for each point, so that none covers another.

    Points in the same level are placed side by side around 0, the lowest in the middle.

    Args:
        values: values from 0 to 1, shape (n,).
        level_count: number of levels.

    Returns:
        Offsets in steps, shape (n,).
    """
    levels = np.minimum((values * level_count).astype(int), level_count - 1)
    steps = np.zeros(len(values))
    for level in np.unique(levels):
        (members,) = np.nonzero(levels == level)
        members = members[np.argsort(values[members], kind="stable")]
        offsets = np.arange(len(members)) - (len(members) - 1) / 2
        steps[members] = offsets[np.argsort(np.abs(offsets), kind="stable")]
    return steps


def _draw_score(axes: Axes, scores: pd.DataFrame, metric: Metric, task: Task) -> None:
    structures = distinct_structures(task)
    cases = scores["case"].nunique()
    for position, structure in enumerate(structures):
        rows = scores[scores["region"] == structure]
        _draw_structure(axes, position, rows[metric.name].to_numpy(float), rows["reference_voxels"].to_numpy() == 0)
    margin = 0.1 if cases > _MANY_CASES else 0.04  # the larger one fits the numbers of the diamonds
    last = len(structures) - 1
    few = f" of {format_count(cases, 'case')}; boxes are drawn from {FEW_CASES} cases on" if cases < FEW_CASES else ""
    axes.set(
        title=f"{metric.heading}{few}",
        ylim=(-margin, 1 + margin),
        yticks=[0, 0.2, 0.4, 0.6, 0.8, 1],
        xlim=(-0.6, last + 0.6),
    )
    ticks = [f"{key.replace('_', ' ')}\n{wrap_name(title, _TICK_CHARACTERS)}" for key, title in structures.items()]
    axes.set_xticks(range(len(ticks)), ticks, fontsize=7.5)
    axes.grid(visible=True, axis="y")


def _draw_structure(axes: Axes, position: int, values: NDArray[np.float64], absent: NDArray[np.bool_]) -> None:
    many = len(values) > _MANY_CASES
    line = TEXT_COLOUR if many else LINE_COLOUR
    if len(values) >= FEW_CASES:
        draw_box(axes, position, values, line, many=many)
    if many:
        _draw_many(axes, position, values, absent)
    else:
        x = position + scaled_offsets(swarm_offsets(values))
        axes.plot(x[~absent], values[~absent], zorder=3, **POINT_STYLE)
        axes.plot(x[absent], values[absent], zorder=3, **ABSENT_STYLE)


def draw_box(axes: Axes, position: int, values: NDArray[np.float64], line: str, *, many: bool) -> None:
    """Draw a box of the quartiles, with whiskers to the last case within 1.5 interquartile ranges.

    Args:
        axes: axes of the plot.
        position: position of the box on the x axis.
        values: scores, float64 (n,).
        line: colour of its lines.
        many: whether it lies over many points, and is transparent.
    """
    axes.boxplot(
        values,
        positions=[position],
        widths=2 * _HALF_BOX,
        showfliers=False,
        patch_artist=True,
        zorder=4 if many else 2,
        boxprops={"facecolor": "none" if many else BOX_COLOUR, "edgecolor": line},
        medianprops={"color": TEXT_COLOUR, "linewidth": 2},
        whiskerprops={"color": line},
        capprops={"color": line},
    )


def _draw_many(axes: Axes, position: int, values: NDArray[np.float64], absent: NDArray[np.bool_]) -> None:
    """Draw small points below the box, and diamonds with numbers for cases without the structure."""
    axes.plot(
        position + scaled_offsets(swarm_offsets(values[~absent], _MANY_CASES_LEVELS)),
        values[~absent],
        zorder=3,
        **_SMALL_POINT,
    )
    for score, count in zip(*np.unique(values[absent], return_counts=True), strict=True):
        axes.plot(position, score, zorder=5, **{**ABSENT_STYLE, "markerfacecolor": "white"})
        above = 6 if score > 0.5 else -6
        axes.annotate(
            f"{count:,}",
            (position, score),
            (0, above),
            textcoords="offset points",
            ha="center",
            va="bottom" if above > 0 else "top",
            fontsize=7,
        )


def scaled_offsets(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return offsets that stay within a box.

    Args:
        steps: offsets in steps, see `swarm_offsets`, float64 (n,).

    Returns:
        Offsets where structures are 1 apart, float64 (n,).
    """
    return steps * min(0.05, _MAX_OFFSET / max(float(np.abs(steps).max(initial=0)), 1))


def _legend_handles(scores: pd.DataFrame) -> list[Artist]:
    cases = scores["case"].nunique()
    absent = "structure absent from the reference"
    points: list[Artist] = [
        Line2D([], [], **{**POINT_STYLE, "markersize": 5}, label=f"one case (of {cases:,})"),
        Line2D(
            [], [], **{**ABSENT_STYLE, "markersize": 5}, label=f"{absent} (cases)" if cases > _MANY_CASES else absent
        ),
    ]
    if cases < FEW_CASES:
        return points
    box = "quartiles, median; whiskers to the last case within 1.5 interquartile ranges"
    return [*points, Patch(facecolor=BOX_COLOUR, edgecolor=LINE_COLOUR, label=box)]
