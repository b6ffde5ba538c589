"""Draw annotated heat maps: the confusion matrix of the labels, and Dice with each subset of the channels."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumorseg.formatting import format_count
from tumorseg.plotting.axes import contrasting_text_colour, wrap_name
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, figure_style
from tumorseg.task import Task

_CONFUSION_ROW_HEIGHT: Final = 0.85
_CONFUSION_FRAME: Final = 1.2
"""Heights in inches of a row, and of the axes."""
_CONFUSION_NAME_WIDTH: Final = 80
"""Characters that fit side by side into a line of all column names."""
_EMPTY_ROW_COLOUR: Final = "#eeeeee"
_CONFUSION_COLOURMAP: Final = colormaps["Blues"].with_extremes(bad=_EMPTY_ROW_COLOUR)


def confusion_matrix(voxels: Mapping[str, Mapping[str, int]], task: Task) -> Figure:
    """Return the confusion matrix of the labels, with voxel counts and percentages of each row.

    Args:
        voxels: counts by label of the reference, then by predicted label, as in results/evaluation/summary.json.
        task: defines the channels, labels and regions.

    Returns:
        The figure: labels of the reference in rows, predicted labels in columns. Background has no row, since nearly
        all of its voxels are far from the tumour; below each column is its share of the voxels predicted as the label.
    """
    titles = {0: "background", **task.label_titles}
    every = np.array([[voxels[str(row)][str(column)] for column in titles] for row in titles])
    counts = every[1:]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    names = [wrap_name(f"{label}: {title}", _CONFUSION_NAME_WIDTH // len(titles)) for label, title in titles.items()]
    predicted = [f"{names[0]}\n(missed)"] + [
        f"{name}\n{_predicted_text(column)}" for name, column in zip(names[1:], every.T[1:], strict=True)
    ]
    reference_names = [
        f"{name}\n{format_count(int(total), 'voxel')}" for name, total in zip(names[1:], totals[:, 0], strict=True)
    ]
    with figure_style():
        figure = Figure(
            figsize=(FIGURE_WIDTH_INCHES, _CONFUSION_FRAME + _CONFUSION_ROW_HEIGHT * len(counts)), layout="constrained"
        )
        axes = figure.subplots()
        edges, rows = np.arange(len(titles) + 1) - 0.5, np.arange(len(counts) + 1) - 0.5
        axes.pcolormesh(
            edges, rows, shares, cmap=_CONFUSION_COLOURMAP, vmin=0, vmax=1, edgecolors="#c8c8c8", linewidth=0.6
        )
        for row, total in enumerate(totals[:, 0]):
            if total:
                _annotate_row(axes, row, shares[row], counts[row])
            else:
                middle = (len(titles) - 1) / 2
                text = "absent from all references"
                axes.text(middle, row, text, ha="center", va="center", bbox={"color": _EMPTY_ROW_COLOUR})
        axes.set(xlabel="predicted", ylabel="reference", ylim=rows[[-1, 0]])
        axes.set_xticks(range(len(names)), predicted)
        axes.set_yticks(range(len(reference_names)), reference_names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def _predicted_text(counts: NDArray[np.int64]) -> str:
    """Return the number of voxels predicted as a label and the share of false ones, from the counts by true label."""
    total = int(counts.sum())
    if not total:
        return "(never predicted)"
    return f"{format_count(total, 'voxel')},\n{format_percent(counts[0] / total)} of them background"


def format_percent(share: float) -> str:
    """Return a share from 0 to 1 as a percentage that is 0 % or 100 % only if it is exactly that."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _annotate_row(axes: Axes, row: int, shares: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
    for column, (share, count) in enumerate(zip(shares, counts, strict=True)):
        colour = contrasting_text_colour(_CONFUSION_COLOURMAP(share))
        axes.text(column, row, format_percent(share), ha="center", va="bottom", fontsize=11, color=colour)
        axes.text(column, row + 0.08, f"{count:,}", ha="center", va="top", fontsize=8, color=colour)


_SUBSET_ROW_HEIGHT: Final = 0.42
_SUBSET_FRAME: Final = 0.9
"""Heights in inches of a row, and of the axes."""
_SUBSET_NAME_WIDTH: Final = 100
"""Characters that fit side by side into a line of all column names."""
_SUBSET_COLOURMAP: Final = colormaps["Blues"]


def subset_dice(scores: pd.DataFrame, task: Task) -> Figure:
    """Return a heat map of mean Dice by structure (columns) and subset of the channels (rows), with its change.

    The change is the difference to the first row, if that has all channels and the same cases.

    Args:
        scores: the rows of results/evaluation/channel_subsets.csv.
        task: defines the channels, labels and regions.
    """
    means = scores[[f"dice_{name}" for name in task.structures]].to_numpy(float)
    has_all = scores["channels"].iat[0] == ",".join(task.channel_names)
    # A case that has all channels has each subset too: equal numbers of cases are the same cases.
    compared = (scores["cases"] == scores["cases"].iat[0]).to_numpy() & has_all
    compared[0] = False
    with figure_style():
        figure = Figure(
            figsize=(FIGURE_WIDTH_INCHES, _SUBSET_FRAME + _SUBSET_ROW_HEIGHT * len(means)), layout="constrained"
        )
        axes = figure.subplots()
        axes.imshow(means, cmap=_SUBSET_COLOURMAP, vmin=0, vmax=1, aspect="auto")
        for row, column in np.ndindex(means.shape):
            value = means[row, column]
            change = f"\n{value - means[0, column]:+.3f}".replace("-", "\N{MINUS SIGN}") if compared[row] else ""
            colour = contrasting_text_colour(_SUBSET_COLOURMAP(value))
            axes.text(column, row, f"{value:.3f}{change}", ha="center", va="center", color=colour, fontsize=8.5)
        characters = _SUBSET_NAME_WIDTH // means.shape[1]
        names = {name: wrap_name(title, characters) for name, title in task.structure_titles.items()}
        column_names = [f"{structure.replace('_', ' ')}\n{names[structure]}" for structure in task.structures]
        axes.set_xticks(range(means.shape[1]), column_names)
        axes.set_yticks(range(len(means)), _subset_names(scores, task))
        axes.set(ylabel="modalities")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def _subset_names(scores: pd.DataFrame, task: Task) -> list[str]:
    """Return the name of each row, with the number of cases if that is not the same in all rows."""
    names = []
    for channels, trained, cases in zip(scores["channels"], scores["trained"], scores["cases"], strict=True):
        titles = ", ".join(task.channel_titles[name] for name in channels.split(","))
        count = f" ({format_count(int(cases), 'case')})" if scores["cases"].nunique() > 1 else ""
        names.append(f"{titles}{'' if trained == 'true' else ' *'}{count}")
    return names
