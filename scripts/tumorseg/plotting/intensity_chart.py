"""Draw the intensities of all cases before and after normalisation, by channel."""

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
"""Heights in inches of a row of plots and of the legend."""
_MAX_COLUMNS: Final = 4
_PERCENTS: Final = (1, 50, 99)
_KEYS: Final = ("p01", "median", "p99")
_PLANE_STEP: Final = 8
"""Only every eighth plane of a normalised case is read."""
_MANY_CASES: Final = 100
"""With more cases, the bars of single cases merge into a band."""
_SPAN_COLOUR: Final = "#9db7c9"
_SPAN_POINTS: Final = 120
"""Total width in points of the bars of all cases; the panel is slightly wider."""


def spans_before(cases: Sequence[CaseSummary], task: Task) -> NDArray[np.float64]:
    """Return percentiles of the non-zero intensities in the files, from the validation results.

    Args:
        cases: summaries of the cases.
        task: defines the channels, labels and regions.

    Returns:
        1st percentile, median and 99th percentile, float64 (cases, channels, 3); NaN if a channel has no such voxel.
    """
    unknown = dict.fromkeys(_KEYS, np.nan)
    return np.array(
        [
            [[{**unknown, **case.intensities.get(name, {})}[key] for key in _KEYS] for name in task.channel_names]
            for case in cases
        ]
    ).reshape(len(cases), len(task.channels), len(_KEYS))


def spans_after(cases: Sequence[CaseSummary], folders: Sequence[Path], task: Task) -> NDArray[np.float64]:
    """Return percentiles of the non-zero intensities in every eighth plane of the normalised cases.

    Args:
        cases: summaries of the cases.
        folders: the folders of normalised cases.
        task: defines the channels, labels and regions.

    Returns:
        1st percentile, median and 99th percentile, float64 (cases, channels, 3); NaN if a channel has no such voxel.

    Raises:
        UserError: a file is missing or cannot be read.
    """
    return np.array(
        [_channel_percentiles(read_planes(find_case(folders, case.case), _PLANE_STEP)) for case in cases]
    ).reshape(len(cases), len(task.channels), len(_PERCENTS))


def draw_intensity_spans(before: NDArray[np.float64], after: NDArray[np.float64], task: Task) -> Figure:
    """Return a figure with the intensity ranges of all cases before and after normalisation, for each channel.

    Args:
        before: the result of `spans_before`, (cases, channels, 3).
        after: the result of `spans_after`, (cases, channels, 3).
        task: defines the channels, labels and regions.

    Returns:
        The figure; cases are sorted by their median before normalisation.
    """
    bands = list(split_into_rows(range(len(task.channels)), _MAX_COLUMNS))
    with figure_style():
        figure = Figure(
            figsize=(FIGURE_WIDTH_INCHES, 2 * _ROW_HEIGHT * len(bands) + _LEGEND_HEIGHT), layout="constrained"
        )
        rows = figure.subplots(2 * len(bands), len(bands[0]), sharex=True, sharey="row", squeeze=False)
        for number, channels in enumerate(bands):
            _draw_band(rows[2 * number : 2 * number + 2], channels, before, after, task)
        figure.legend(handles=_legend_handles(len(before)), loc="outside lower center", ncols=2)
    return figure


def _draw_band(
    rows: NDArray[Any], channels: Sequence[int], before: NDArray[np.float64], after: NDArray[np.float64], task: Task
) -> None:
    """Draw some of the channels side by side, in two rows of axes; each row shares a scale."""
    upper, lower = rows
    if np.nanmin(before, initial=np.inf) > 0:
        upper[0].set_yscale("log")
        upper[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    for column, channel in enumerate(channels):
        order = np.argsort(before[:, channel, 1], kind="stable")
        for axes, spans, decimals in ((upper[column], before, 0), (lower[column], after, 2)):
            _draw_spans(axes, spans[order, channel])
            axes.set_title(_median_range(spans[:, channel, 1], decimals))
            axes.tick_params(axis="y", which="both", left=column == 0)
        upper[column].set_title(f"{task.channels[channel].title}\n{upper[column].get_title()}")
        lower[column].set_xlabel("cases, sorted by median\nbefore normalisation")
    for unused in (*upper[len(channels) :], *lower[len(channels) :]):
        unused.set_axis_off()
    upper[0].set_ylabel("before: units of the files")
    lower[0].set_ylabel("after: standard deviations\nfrom the mean of the brain")


def _channel_percentiles(planes: NDArray[np.float16]) -> list[NDArray[np.float64]]:
    channels = [channel[channel != 0] for channel in planes.astype(np.float32)]
    unknown = np.full(len(_PERCENTS), np.nan)
    return [np.percentile(nonzero, _PERCENTS) if nonzero.size else unknown for nonzero in channels]


def _draw_spans(axes: Axes, spans: NDArray[np.float64]) -> None:
    low, middle, high = spans.T
    x = np.arange(len(spans))
    if len(spans) <= _MANY_CASES:
        axes.vlines(x, low, high, color=_SPAN_COLOUR, linewidth=min(6.0, _SPAN_POINTS / len(spans)))
    else:
        axes.fill_between(x, low, high, color=_SPAN_COLOUR, linewidth=0, step="mid")
    axes.plot(
        x, middle, "o", color=TEXT_COLOUR, markersize=3.5 if len(spans) <= _MANY_CASES else 1.2, markeredgewidth=0
    )
    axes.set(xticks=[], xlim=(-1, len(spans)))
    axes.grid(visible=True, axis="y")


def _median_range(medians: NDArray[np.float64], decimals: int) -> str:
    known = medians[~np.isnan(medians)]
    if not known.size:
        return "no non-zero voxels"
    low, high = (f"{value:,.{decimals}f}".replace("-", "\N{MINUS SIGN}") for value in (known.min(), known.max()))
    return f"medians {low} to {high}"


def _legend_handles(cases: int) -> list[Artist]:
    return [
        Patch(facecolor=_SPAN_COLOUR, label=f"1st to 99th percentile of a case (of {cases:,}), zeros excluded"),
        Line2D([], [], linestyle="none", marker="o", color=TEXT_COLOUR, markersize=3.5, label="median of the case"),
    ]
