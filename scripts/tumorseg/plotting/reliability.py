"""Reliability diagrams: predicted probability against observed frequency."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from tumorseg.plotting.axes import split_into_rows, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.task import Task

_ROW_HEIGHT_INCHES: Final = 3.8
"""Inches, of a row of diagrams."""
_MAX_COLUMNS: Final = 4
_TITLE_CHARACTERS: Final = 30
_POINT: Final = "#0072b2"
_MIN_VOXELS: Final = 100
"""Voxels below which the share of a bin says little."""
_BAR_BOTTOM: Final = 0.7
"""Where the bars of voxels begin, so that a single one shows."""


def reliability_diagrams(curves: Mapping[str, Mapping[str, Any]], task: Task) -> Figure:
    """A diagram for each region and for the most probable label, with the voxels of each bin below it.

    curves: by name, as in results/evaluation/calibration.json.
    """
    titles = {region.name: wrap_name(f"{region.name}: {region.title}", _TITLE_CHARACTERS) for region in task.regions}
    titles["label"] = "most probable label"
    bands = list(split_into_rows(list(titles), _MAX_COLUMNS))
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT_INCHES * len(bands)), layout="constrained")
        rows = figure.subplots(
            2 * len(bands), len(bands[0]), sharex=True, sharey="row", height_ratios=(3, 1) * len(bands)
        )
        for upper, lower, names in zip(rows[0::2], rows[1::2], bands, strict=True):
            for name, above, below in zip(names, upper, lower, strict=False):
                _draw_curve(above, curves[name], titles[name])
                _draw_counts(below, curves[name])
            for unused in (*upper[len(names) :], *lower[len(names) :]):
                unused.set_axis_off()
            upper[0].set_ylabel("share that came true")
            lower[0].set_ylabel("voxels")
        for above_unused in rows[-3, len(bands[-1]) :] if len(bands) > 1 else ():
            above_unused.tick_params(labelbottom=True)
        for axes in rows[:, 1:].flat:
            axes.tick_params(axis="y", left=False)
        rows[0, 0].set(xticks=[0, 0.5, 1])
        figure.supxlabel("probability that the network gives", fontsize=9)
    return figure


def _draw_curve(axes: Axes, curve: Mapping[str, Any], title: str) -> None:
    predicted, observed = (np.array([part[key] for part in curve["bins"]]) for key in ("mean_probability", "observed"))
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle=(0, (4, 3)))
    few = np.array([part["voxels"] < _MIN_VOXELS for part in curve["bins"]])
    axes.plot(predicted, observed, color=_POINT, linewidth=1.4)
    for chosen, face in ((~few, _POINT), (few, "white")):
        axes.plot(predicted[chosen], observed[chosen], "o", color=_POINT, markerfacecolor=face, markersize=4.5)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.set_title(
        f"{title}\nexpected error {curve['expected_calibration_error']:.4f}", fontsize=8.5, color=TEXT_COLOUR
    )
    axes.grid(visible=True)


def _draw_counts(axes: Axes, curve: Mapping[str, Any]) -> None:
    for part in curve["bins"]:
        axes.bar(
            part["low"],
            part["voxels"],
            part["high"] - part["low"],
            align="edge",
            color="#9db7c9",
            edgecolor="white",
            linewidth=0.8,
        )
    axes.set_yscale("log")
    axes.set_ylim(bottom=_BAR_BOTTOM)
    axes.yaxis.set_major_locator(LogLocator(numticks=4))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(visible=True, axis="y")
