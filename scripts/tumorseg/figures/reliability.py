"""Reliability diagrams: the probability that the network gives beside how often it came true."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from tumorseg.figures.style import INK, WIDTH, context
from tumorseg.labels import REGION_NAMES

_HEIGHT: Final = 3.8
_POINT: Final = "#0072b2"
_FEW: Final = 100
"""Voxels below which the share of a bin says little."""
_LEAST: Final = 0.7
"""Where the bars of voxels begin, so that a single one shows."""
_TITLES: Final = {
    **{region: f"{region}: {name}" for region, name in REGION_NAMES.items()},
    "label": "most probable label",
}


def reliability_diagrams(curves: Mapping[str, Mapping[str, Any]]) -> Figure:
    """A diagram for each region and for the most probable label, with the voxels of each bin below it.

    curves: by name, as in results/evaluation/calibration.json.
    """
    with context():
        figure = Figure(figsize=(WIDTH, _HEIGHT), layout="constrained")
        rows = figure.subplots(2, len(_TITLES), sharex=True, sharey="row", height_ratios=(3, 1))
        for column, (name, title) in enumerate(_TITLES.items()):
            _draw_curve(rows[0, column], curves[name], title)
            _draw_counts(rows[1, column], curves[name])
        for axes in rows[:, 1:].flat:
            axes.tick_params(axis="y", left=False)
        rows[0, 0].set(xticks=[0, 0.5, 1])
        rows[0, 0].set_ylabel("share that came true")
        rows[1, 0].set_ylabel("voxels")
        figure.supxlabel("probability that the network gives", fontsize=9)
    return figure


def _draw_curve(axes: Axes, curve: Mapping[str, Any], title: str) -> None:
    given, observed = (np.array([part[key] for part in curve["bins"]]) for key in ("mean_probability", "observed"))
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle=(0, (4, 3)))
    few = np.array([part["voxels"] < _FEW for part in curve["bins"]])
    axes.plot(given, observed, color=_POINT, linewidth=1.4)
    for chosen, face in ((~few, _POINT), (few, "white")):
        axes.plot(given[chosen], observed[chosen], "o", color=_POINT, markerfacecolor=face, markersize=4.5)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.set_title(f"{title}\nexpected error {curve['expected_calibration_error']:.4f}", fontsize=8.5, color=INK)
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
    axes.set_ylim(bottom=_LEAST)
    axes.yaxis.set_major_locator(LogLocator(numticks=4))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(visible=True, axis="y")
