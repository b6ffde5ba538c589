"""What the voxels of each label were taken for."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumorseg.figures.contrast import ink_on
from tumorseg.figures.grids import in_lines
from tumorseg.figures.style import WIDTH, context
from tumorseg.pages.words import counted
from tumorseg.task import Task

_ROW_HEIGHT: Final = 0.85
_FRAME: Final = 1.0
"""Inches for a row, and for the axes."""
_NAME_WIDTH: Final = 80
"""Characters that the names of all columns share."""
_NOTHING: Final = "#eeeeee"
_SHADES: Final = colormaps["Blues"].with_extremes(bad=_NOTHING)


def confusion_matrix(voxels: Mapping[str, Mapping[str, int]], task: Task) -> Figure:
    """Labels of the reference in rows, predicted ones in columns; each row by its own sum, as shade and per cent.

    voxels: counts by label of the reference, then by predicted label, as in results/evaluation/summary.json.
    """
    titles = {0: "background", **task.label_titles}
    counts = np.array([[voxels[str(row)][str(column)] for column in titles] for row in titles])
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    names = [in_lines(f"{label}: {title}", _NAME_WIDTH // len(titles)) for label, title in titles.items()]
    predicted = [
        name if count else f"{name}\n(never predicted)" for name, count in zip(names, counts.sum(axis=0), strict=True)
    ]
    referred = [f"{name}\n{counted(int(total), 'voxel')}" for name, total in zip(names, totals[:, 0], strict=True)]
    with context():
        figure = Figure(figsize=(WIDTH, _FRAME + _ROW_HEIGHT * len(titles)), layout="constrained")
        axes = figure.subplots()
        edges = np.arange(len(titles) + 1) - 0.5
        axes.pcolormesh(edges, edges, shares, cmap=_SHADES, vmin=0, vmax=1, edgecolors="#c8c8c8", linewidth=0.6)
        for row, total in enumerate(totals[:, 0]):
            if total:
                _write_row(axes, row, shares[row], counts[row])
            else:
                middle = (len(titles) - 1) / 2
                axes.text(middle, row, "in no reference", ha="center", va="center", bbox={"color": _NOTHING})
        axes.set(xlabel="predicted", ylabel="reference", ylim=edges[[-1, 0]])
        axes.set_xticks(range(len(names)), predicted)
        axes.set_yticks(range(len(names)), referred)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def percent(share: float) -> str:
    """A share from 0 to 1 in per cent; what is almost nothing or almost all is not written as such."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _write_row(axes: Axes, row: int, shares: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
    for column, (share, count) in enumerate(zip(shares, counts, strict=True)):
        ink = ink_on(_SHADES(share))
        axes.text(column, row, percent(share), ha="center", va="bottom", fontsize=11, color=ink)
        axes.text(column, row + 0.08, f"{count:,}", ha="center", va="top", fontsize=8, color=ink)
