"""Draw the charts of the cohort: usable and dropped cases by problem, and tumour volumes."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tumorseg.cohort.case_summary import WHOLE_TUMOUR
from tumorseg.cohort.overview import CohortOverview
from tumorseg.formatting import format_count
from tumorseg.plotting.axes import FEW_CASES, set_volume_axis, volume_limits
from tumorseg.plotting.distributions import swarm_offsets
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style

_BAR_HEIGHT: Final = 0.3
_VOLUMES_HEIGHT: Final = 4.2
_FRAME: Final = 0.8
"""Heights in inches: of a bar, of the volume plot, and of the title and axis of the bars."""
_USABLE_STYLE: Final[dict[str, Any]] = {"color": "#0072b2"}
_DROPPED_STYLE: Final[dict[str, Any]] = {"color": "#8c8c8c"}
_PROBLEM_STYLE: Final[dict[str, Any]] = {"facecolor": "white", "edgecolor": "#8c8c8c", "hatch": "////"}
_WHOLE_TUMOUR_COLOUR: Final = "#8c8c8c"
_POINT_COLOUR: Final = "#666666"
_POINT_STYLE: Final[dict[str, Any]] = {
    "color": _POINT_COLOUR,
    "markersize": 4,
    "markeredgewidth": 0,
    "alpha": 0.8,
}
_FEW_STYLE: Final[dict[str, Any]] = {"markersize": 8, "markeredgecolor": TEXT_COLOUR, "markeredgewidth": 0.8}
_MANY_CASES: Final = 100
"""Up to this many cases, each is a point; for more, their distribution is drawn."""
_BINS: Final = 80
_PERCENTS: Final = (5, 25, 50, 75, 95)
_BOX: Final = 0.26
_POINTS_OFFSET: Final = 0.32
_MAX_POINT_SPREAD: Final = 0.14
"""Height of a box, distance of the points below its centre, and their spread, where rows are 1 apart."""


def cohort_overview(overview: CohortOverview, colours: Mapping[int, str]) -> Figure:
    """Return a figure with bars of usable and dropped cases, and below them the tumour volumes of the usable ones.

    Args:
        overview: the overview of the cohort.
        colours: colour of each label as `#rrggbb`.
    """
    bars = _bar_counts(overview)
    height = _BAR_HEIGHT * len(bars) + _FRAME
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height + _VOLUMES_HEIGHT), layout="constrained")
        upper, lower = figure.subplots(2, 1, height_ratios=(height, _VOLUMES_HEIGHT))
        _draw_bars(upper, overview, bars)
        _draw_volumes(lower, overview, colours)
    return figure


def _bar_counts(overview: CohortOverview) -> dict[str, int]:
    """Return the number of cases of each bar, by its name, from top to bottom."""
    problems = {f"{summary.code.replace('_', ' ')}": len(summary.cases) for summary in overview.problems}
    return {"usable": len(overview.usable), "dropped": len(overview.dropped), **problems}


def _draw_bars(axes: Axes, overview: CohortOverview, bars: Mapping[str, int]) -> None:
    for row, (count, style) in enumerate(
        zip(bars.values(), (_USABLE_STYLE, _DROPPED_STYLE, *[_PROBLEM_STYLE] * len(bars)), strict=False)
    ):
        axes.bar_label(axes.barh(row, count, height=0.66, **style), fmt="{:,.0f}", padding=4)
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set(ylim=(len(bars) - 0.4, -0.6), xlim=(0, 1.06 * max(1, *bars.values())))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")
    axes.set_title(f"{len(overview.usable):,} of {format_count(len(overview.cases), 'case')} usable")
    several = sum(len(summary.cases) for summary in overview.problems) > len(overview.dropped)
    axes.set_xlabel("cases; a case with several problems counts for each" if several else "cases")


def _draw_volumes(axes: Axes, overview: CohortOverview, colours: Mapping[int, str]) -> None:
    names = {summary.key: summary.name for summary in overview.volumes}
    known = {key: np.array([case.volumes_ml[key] for case in overview.usable if case.volumes_ml]) for key in names}
    present = {key: volumes[volumes > 0] for key, volumes in known.items()}
    every = np.concatenate(list(present.values()))
    axes.set_title("Tumour volumes of the usable cases")
    if not every.size:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no usable case with a known volume", transform=axes.transAxes, ha="center", va="center")
        return
    limits = volume_limits(every)
    box_colours = {
        **{f"label_{label}": colour for label, colour in colours.items()},
        WHOLE_TUMOUR: _WHOLE_TUMOUR_COLOUR,
    }
    for row, (key, volumes) in enumerate(present.items()):
        _draw_volume(axes, row, volumes, limits, box_colours[key])
    set_volume_axis(axes, limits)
    ticks = [
        f"{name}\nin {len(present[key]):,} of {format_count(len(known[key]), 'case')}" for key, name in names.items()
    ]
    axes.set_yticks(range(len(names)), [tick.replace(" / ", " /\n") for tick in ticks])
    axes.set(ylim=(len(names) - 0.35, -0.35), xlabel="volume, ml (cases without the structure excluded)")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")


def _draw_volume(
    axes: Axes, row: int, volumes_ml: NDArray[np.float64], limits: tuple[float, float], colour: str
) -> None:
    """Draw the cases, and above them a box of the quartiles with whiskers to the 5th and 95th percentiles.

    Few cases get no box.
    """
    if not volumes_ml.size:
        return
    if volumes_ml.size >= FEW_CASES:
        _draw_box(axes, row, volumes_ml, colour)
        _draw_cases(axes, row + _POINTS_OFFSET, volumes_ml, limits, _POINT_STYLE)
    else:
        _draw_cases(axes, row, volumes_ml, limits, {**_FEW_STYLE, "markerfacecolor": colour})


def _draw_box(axes: Axes, row: int, volumes_ml: NDArray[np.float64], colour: str) -> None:
    # Not `boxplot`: its whiskers end at the last case within the percentiles.
    numbers = dict(zip(("whislo", "q1", "med", "q3", "whishi"), np.percentile(volumes_ml, _PERCENTS), strict=True))
    axes.bxp(
        [numbers],
        positions=[row],
        orientation="horizontal",
        widths=_BOX,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "edgecolor": TEXT_COLOUR},
        medianprops={"color": TEXT_COLOUR, "linewidth": 2},
        whiskerprops={"color": TEXT_COLOUR},
        capprops={"color": TEXT_COLOUR},
    )


def _draw_cases(
    axes: Axes, middle: float, volumes_ml: NDArray[np.float64], limits: tuple[float, float], style: Mapping[str, Any]
) -> None:
    if volumes_ml.size > _MANY_CASES:
        counts, edges = np.histogram(volumes_ml, np.geomspace(*limits, _BINS + 1))
        heights = _MAX_POINT_SPREAD * counts / counts.max()
        axes.stairs(middle + heights, edges, baseline=middle - heights, fill=True, color=_POINT_COLOUR)
        return
    low, high = np.log(limits)
    steps = swarm_offsets((np.log(volumes_ml) - low) / (high - low), _BINS)
    y = middle + steps * min(0.05, _MAX_POINT_SPREAD / max(1.0, float(np.abs(steps).max())))
    axes.plot(volumes_ml, y, "o", **style)
