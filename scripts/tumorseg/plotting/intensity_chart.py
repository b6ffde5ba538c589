"""Charts of the intensities of every case before and after normalisation, by channel."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from tumorseg.cohort.case_summary import CaseSummary
from tumorseg.plotting.axes import split_into_rows
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.preprocessing.store import find_case, read_planes
from tumorseg.task import Task

_ROW_HEIGHT: Final = 2.6
_LEGEND_HEIGHT: Final = 0.4
"""Inches for a row of plots, and for the legend."""
_MAX_COLUMNS: Final = 4
_PERCENTS: Final = (1, 50, 99)
_KEYS: Final = ("p01", "median", "p99")
_PLANE_STEP: Final = 8
"""Of the planes of a normalised case one in so many is read."""
_MANY_CASES: Final = 100
"""Cases up to which each has a line; the spans of more run together into a band."""
_SPAN_COLOUR: Final = "#9db7c9"
_SPAN_POINTS: Final = 120
"""Points that the spans of all cases share, in a panel that is somewhat wider."""


def spans_before(cases: Sequence[CaseSummary], task: Task) -> NDArray[np.float64]:
    """1st percentile, median and 99th percentile of the files' values that are not 0, as validation found them.

    Returns (cases, channels, 3), NaN where a channel has none.
    """
    unknown = dict.fromkeys(_KEYS, np.nan)
    return np.array(
        [
            [[{**unknown, **case.intensities.get(name, {})}[key] for key in _KEYS] for name in task.channel_names]
            for case in cases
        ]
    ).reshape(len(cases), len(task.channels), len(_KEYS))


def spans_after(cases: Sequence[CaseSummary], folders: Sequence[Path], task: Task) -> NDArray[np.float64]:
    """The same of the voxels of the normalised files, which lie in the folders of the batches; in every eighth plane.

    Raises UserError where a case's file is missing or unreadable.
    """
    return np.array(
        [_channel_percentiles(read_planes(find_case(folders, case.case), _PLANE_STEP)) for case in cases]
    ).reshape(len(cases), len(task.channels), len(_PERCENTS))


def draw_intensity_spans(before: NDArray[np.float64], after: NDArray[np.float64], task: Task) -> Figure:
    """For each channel the spans of all cases before normalisation, and below them those after it.

    before, after: (cases, channels, 3), see `spans_before`. Cases stand by their median before.
    """
    bands = list(split_into_rows(range(len(task.channels)), _MAX_COLUMNS))
    with figure_style():
        figure = Figure(
            figsize=(FIGURE_WIDTH_INCHES, 2 * _ROW_HEIGHT * len(bands) + _LEGEND_HEIGHT), layout="constrained"
        )
        rows = figure.subplots(2 * len(bands), len(bands[0]), sharex=True, sharey="row", squeeze=False)
        for place, channels in enumerate(bands):
            _draw_band(rows[2 * place : 2 * place + 2], channels, before, after, task)
        figure.legend(handles=_legend_handles(len(before)), loc="outside lower center", ncols=2)
    return figure


def _draw_band(
    rows: NDArray[Any], channels: Sequence[int], before: NDArray[np.float64], after: NDArray[np.float64], task: Task
) -> None:
    """Some of the channels side by side, in two rows of axes that share a scale each."""
    upper, lower = rows
    if np.nanmin(before, initial=np.inf) > 0:
        upper[0].set_yscale("log")
        upper[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    for place, channel in enumerate(channels):
        order = np.argsort(before[:, channel, 1], kind="stable")
        for axes, spans, decimals in ((upper[place], before, 0), (lower[place], after, 2)):
            _draw_spans(axes, spans[order, channel])
            axes.set_title(_median_range(spans[:, channel, 1], decimals))
            axes.tick_params(axis="y", which="both", left=place == 0)
        upper[place].set_title(f"{task.channels[channel].title}\n{upper[place].get_title()}")
        lower[place].set_xlabel("cases, by their median before")
    for unused in (*upper[len(channels) :], *lower[len(channels) :]):
        unused.set_axis_off()
    upper[0].set_ylabel("before: units of the files")
    lower[0].set_ylabel("after: standard deviations\nfrom the brain's mean")


def _channel_percentiles(planes: NDArray[np.float16]) -> list[NDArray[np.float64]]:
    channels = [channel[channel != 0] for channel in planes.astype(np.float32)]
    nothing = np.full(len(_PERCENTS), np.nan)
    return [np.percentile(nonzero, _PERCENTS) if nonzero.size else nothing for nonzero in channels]


def _draw_spans(axes: Axes, spans: NDArray[np.float64]) -> None:
    low, middle, high = spans.T
    places = np.arange(len(spans))
    if len(spans) <= _MANY_CASES:
        axes.vlines(places, low, high, color=_SPAN_COLOUR, linewidth=min(6.0, _SPAN_POINTS / len(spans)))
    else:
        axes.fill_between(places, low, high, color=_SPAN_COLOUR, linewidth=0, step="mid")
    axes.plot(
        places, middle, "o", color=TEXT_COLOUR, markersize=3.5 if len(spans) <= _MANY_CASES else 1.2, markeredgewidth=0
    )
    axes.set(xticks=[], xlim=(-1, len(spans)))
    axes.grid(visible=True, axis="y")


def _median_range(medians: NDArray[np.float64], decimals: int) -> str:
    known = medians[~np.isnan(medians)]
    if not known.size:
        return "not shown in any case"
    low, high = (f"{value:,.{decimals}f}".replace("-", "\N{MINUS SIGN}") for value in (known.min(), known.max()))
    return f"medians {low} to {high}"


def _legend_handles(cases: int) -> list[Artist]:
    return [
        Patch(facecolor=_SPAN_COLOUR, label=f"1st to 99th percentile of a case (of {cases:,}), zeros left out"),
        Line2D([], [], linestyle="none", marker="o", color=TEXT_COLOUR, markersize=3.5, label="its median"),
    ]
