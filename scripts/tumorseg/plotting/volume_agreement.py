"""Draw Bland-Altman plots: how far predicted volumes are from those of the reference."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Transform
from numpy.typing import NDArray

from tumorseg.formatting import format_count
from tumorseg.plotting.axes import FEW_CASES, split_into_rows, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.task import Task

_ROW_HEIGHT_INCHES: Final = 4.0
_MAX_COLUMNS: Final = 3
_TITLE_CHARACTERS: Final = 30
_MM3_PER_ML: Final = 1000
_NORMAL_QUANTILE: Final = 1.96
_ROOM: Final = 1.5
"""Length of the x axis relative to the largest mean: the texts of the lines stand right of the points."""
_MANY_CASES: Final = 100
_POINT_STYLE: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 5,
    "color": "#0072b2",
    "markeredgecolor": "white",
    "markeredgewidth": 0.4,
}
_SMALL_POINT_STYLE: Final = {**_POINT_STYLE, "markersize": 3.5, "markeredgewidth": 0, "alpha": 0.35}
_MEAN_STYLE: Final[dict[str, Any]] = {"color": TEXT_COLOUR, "linewidth": 1.4}
_LIMIT_STYLE: Final[dict[str, Any]] = {"color": TEXT_COLOUR, "linewidth": 1.0, "linestyle": (0, (4, 3))}


@dataclass(frozen=True)
class Agreement:
    """The agreement of two measurements.

    Attributes:
        mean: mean difference.
        low: lower 95 % limit of agreement, the mean minus 1.96 standard deviations.
        high: upper 95 % limit of agreement.
    """

    mean: float
    low: float
    high: float


def limits_of_agreement(differences: NDArray[np.float64]) -> Agreement:
    """Return the mean difference and the 95 % limits of agreement.

    Args:
        differences: differences of the pairs, float64 (n,), at least two.

    References:
        Bland and Altman 1986, doi:10.1016/S0140-6736(86)90837-8.
    """
    mean, deviation = float(np.mean(differences)), float(np.std(differences, ddof=1))
    return Agreement(mean, mean - _NORMAL_QUANTILE * deviation, mean + _NORMAL_QUANTILE * deviation)


def volume_agreement(scores: pd.DataFrame, task: Task) -> Figure:
    """Return a figure with a Bland-Altman plot of the volumes of each region.

    Cases without the region in both masks are left out, and counted in the title. With fewer than `FEW_CASES` others,
    there are no lines.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        task: defines the regions.

    References:
        Bland and Altman 1986, doi:10.1016/S0140-6736(86)90837-8.
    """
    bands = list(split_into_rows(task.regions, _MAX_COLUMNS))
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT_INCHES * len(bands)), layout="constrained")
        grid = figure.subplots(len(bands), len(bands[0]), squeeze=False)
        for panels, regions in zip(grid, bands, strict=True):
            for axes, region in zip(panels, regions, strict=False):
                title = wrap_name(f"{region.name}: {region.title}", _TITLE_CHARACTERS)
                _draw_region(axes, title, scores[scores["region"] == region.name])
                axes.set_xlabel("mean of both volumes, ml")
            for unused in panels[len(regions) :]:
                unused.set_axis_off()
            panels[0].set_ylabel("prediction \N{MINUS SIGN} reference, ml")
    return figure


def decimals_of(limit_ml: float) -> int:
    """Return the decimals with which a limit of agreement has at least two digits: 1 from 1 ml on, at most 4."""
    return 1 if limit_ml >= 1 or limit_ml == 0 else min(4, 1 - math.floor(math.log10(limit_ml)))


def _draw_region(axes: Axes, title: str, rows: pd.DataFrame) -> None:
    reference, predicted = (rows[f"{which}_mm3"].to_numpy(float) / _MM3_PER_ML for which in ("reference", "predicted"))
    present = (reference > 0) | (predicted > 0)
    differences, means = (predicted - reference)[present], (predicted + reference)[present] / 2
    absent = int(np.count_nonzero(~present))
    left_out = f", {absent:,} absent from both" if absent else ""
    axes.set_title(f"{title}\n{format_count(len(means), 'case')}{left_out}")
    axes.axhline(0, color="#aaaaaa", linewidth=0.8, zorder=1)
    style = _SMALL_POINT_STYLE if len(means) > _MANY_CASES else _POINT_STYLE
    axes.plot(means, differences, zorder=3, clip_on=False, **style)
    axes.grid(visible=True)
    axes.set_xlim(0, _ROOM * float(means.max(initial=0)) or 1.0)
    largest = float(np.abs(differences).max(initial=0))
    if len(means) < FEW_CASES:
        text = f"limits of agreement need {FEW_CASES} cases"
        _write(axes, text, 1.0, axes.transAxes, va="top", xytext=(0, 0))
    else:
        agreement = limits_of_agreement(differences)
        limit = max(abs(agreement.low), abs(agreement.high))
        largest, decimals = max(largest, limit), decimals_of(limit)
        for value, style, name in (
            (agreement.high, _LIMIT_STYLE, "mean + 1.96 SD"),
            (agreement.mean, _MEAN_STYLE, "mean"),
            (agreement.low, _LIMIT_STYLE, "mean \N{MINUS SIGN} 1.96 SD"),
        ):
            axes.axhline(value, zorder=2, **style)
            text = f"{name}: {value:+z.{decimals}f} ml".replace("-", "\N{MINUS SIGN}")
            _write(axes, text, value, axes.get_yaxis_transform(), va="bottom", xytext=(0, 2))
    half = 1.2 * largest or 1.0
    axes.set_ylim(-half, half)


def _write(axes: Axes, text: str, y: float, transform: Transform, **options: Any) -> None:
    """Write a text at the right edge, readable over points."""
    edge = [withStroke(linewidth=2.5, foreground="white")]
    axes.annotate(
        text,
        (0.99, y),
        xycoords=transform,
        textcoords="offset points",
        ha="right",
        fontsize=8,
        path_effects=edge,
        zorder=4,
        **options,
    )
