"""Draw reliability diagrams: observed frequency against predicted probability."""

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
"""Height of a row of diagrams."""
_MAX_COLUMNS: Final = 4
_TITLE_CHARACTERS: Final = 30
_POINT: Final = "#0072b2"
_MIN_VOXELS: Final = 100
"""With fewer voxels, the observed frequency of a bin is unreliable."""
_BAR_BOTTOM: Final = 0.7
"""Lower end of the logarithmic voxel axis: a single voxel is still visible."""


def reliability_diagrams(curves: Mapping[str, Mapping[str, Any]], task: Task) -> Figure:
    """Return a figure with a diagram for each region and for the most probable label, and the voxels of each bin.

    Args:
        curves: the curves by region name and `label`, as in results/evaluation/calibration.json.
        task: defines the channels, labels and regions.
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
            upper[0].set_ylabel("observed frequency")
            lower[0].set_ylabel("voxels")
        for above_unused in rows[-3, len(bands[-1]) :] if len(bands) > 1 else ():
            above_unused.tick_params(labelbottom=True)
        for axes in rows[:, 1:].flat:
            axes.tick_params(axis="y", left=False)
        rows[0, 0].set(xticks=[0, 0.5, 1])
        figure.supxlabel("predicted probability", fontsize=9)
    return figure


def _draw_curve(axes: Axes, curve: Mapping[str, Any], title: str) -> None:
    predicted, observed = (np.array([bin_[key] for bin_ in curve["bins"]]) for key in ("mean_probability", "observed"))
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle=(0, (4, 3)))
    few = np.array([bin_["voxels"] < _MIN_VOXELS for bin_ in curve["bins"]])
    axes.plot(predicted, observed, color=_POINT, linewidth=1.4)
    for drawn, face in ((~few, _POINT), (few, "white")):
        axes.plot(predicted[drawn], observed[drawn], "o", color=_POINT, markerfacecolor=face, markersize=4.5)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    error = f"expected calibration error {curve['expected_calibration_error']:.4f}"
    axes.set_title(f"{title}\n{error}", fontsize=8.5, color=TEXT_COLOUR)
    axes.grid(visible=True)


def _draw_counts(axes: Axes, curve: Mapping[str, Any]) -> None:
    for bin_ in curve["bins"]:
        axes.bar(
            bin_["low"],
            bin_["voxels"],
            bin_["high"] - bin_["low"],
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
