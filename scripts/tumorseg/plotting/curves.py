"""Draw learning curves: loss, validation Dice, learning rate and skipped steps by epoch, a row for each fold."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from tumorseg.formatting import format_count
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style, region_colours
from tumorseg.task import Task
from tumorseg.training.fold_results import FoldResult

_ROW_HEIGHT: Final = 2.6
_WIDTHS: Final = {"loss": 1.0, "dice": 1.0, "rate": 1.18, "skipped": 1.0}
_LEGEND_HEIGHT: Final = 0.9
"""Height in inches of a row, relative widths of the columns, and height of the legends."""
_LOSSES: Final[dict[str, dict[str, Any]]] = {
    "train_loss": {"label": "training", "color": "#0072b2", "linestyle": "-", "marker": "o"},
    "validation_loss": {"label": "validation", "color": "#d55e00", "linestyle": "--", "marker": "s"},
}
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""Markers of regions, which distinguish them without colour."""
_DARK_EDGE_WIDTH: Final = 2.8
"""Width of the dark line below the line of a region, whose colour may be too light for white paper."""
_LEARNING_RATE: Final[dict[str, dict[str, Any]]] = {
    "learning_rate": {"label": "learning rate", "color": "#5b4a8a", "linestyle": "-", "marker": "o"},
}
_SKIPPED: Final[dict[str, dict[str, Any]]] = {
    "skipped_steps": {"label": "gradient scaler", "color": "#56b4e9"},
    "nonfinite_steps": {"label": "loss not finite", "color": "#9b1b30"},
}
"""The columns of skipped steps, by reason; each step counts for one reason only."""
_TITLES: Final = {
    "loss": "Loss",
    "dice": "Dice on the validation cases",
    "rate": "Learning rate",
    "skipped": "Skipped steps",
}
_MARKED_EPOCHS: Final = 20  # with many more, markers would overlap
_BAR_POINTS: Final = 90
"""Total width in points of the bars of all epochs; the panel is slightly wider."""
_REFUSED_MARK: Final = 0.96
"""Height of the mark of a refused epoch, as a fraction of the plot: above the curves."""
_SELECTED_STYLE: Final[dict[str, Any]] = {"color": TEXT_COLOUR, "linewidth": 1.2}
_REFUSED_STYLE: Final[dict[str, Any]] = {"color": "#888888", "linewidth": 1.0, "linestyle": (0, (4, 3))}
_CROSS_STYLE: Final[dict[str, Any]] = {
    "marker": "X",
    "color": TEXT_COLOUR,
    "markersize": 6,
    "linestyle": "none",
    "clip_on": False,
}


def learning_curves(folds: Sequence[FoldResult], task: Task, colours: Mapping[int, str]) -> Figure:
    """Return a figure with the losses, the Dice of the regions, and the learning rate of each fold.

    Selected and refused epochs are marked in each plot; skipped steps are below the learning rate. All folds share the
    scales of losses and learning rates. A learning rate that is the same in all epochs is only written, and without
    skipped steps there is no third column.

    Args:
        folds: the results of each fold.
        task: defines the regions.
        colours: colour of each label as `#rrggbb`, by its value.
    """
    regions = _region_styles(task, region_colours(colours, task))
    columns = _columns(folds)
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _ROW_HEIGHT * len(folds) + _LEGEND_HEIGHT), layout="constrained")
        widths = [_WIDTHS[name] for name in columns]
        rows = figure.subplots(len(folds), len(columns), squeeze=False, sharey="col", width_ratios=widths)
        lowest = [
            _draw_row(figure, dict(zip(columns, row, strict=True)), fold, regions, several=len(folds) > 1)
            for fold, row in zip(folds, rows, strict=True)
        ]
        for axes, name in zip(rows[0], columns, strict=True):
            axes.set_title(f"{_TITLES[name]}\n")  # leaves a line for the titles of the row
        legends = (_curve_handles(_LOSSES), _curve_handles(regions), _skipped_handles(folds))
        for axes, handles in zip(lowest[-1], legends, strict=False):
            axes.set_xlabel("epoch")
            _add_legend(figure, axes, handles)
        figure.legend(handles=_epoch_handles(folds), loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _columns(folds: Sequence[FoldResult]) -> list[str]:
    """Return the names of the columns: the third one only if it shows something."""
    if any(fold.history["learning_rate"].nunique() > 1 for fold in folds):
        return ["loss", "dice", "rate"]
    return ["loss", "dice", "skipped"] if any(_skipped_steps(fold) for fold in folds) else ["loss", "dice"]


def _region_styles(task: Task, colours: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the line style of each region, by its column in the history."""
    styles = {}
    for number, region in enumerate(task.region_labels):
        styles[f"dice_{region}"] = {
            "label": region,
            "color": colours[region],
            "marker": _MARKERS[number % len(_MARKERS)],
            "markeredgecolor": TEXT_COLOUR,
            "markeredgewidth": 0.8,
        }
    return styles


def _draw_row(
    figure: Figure, row: Mapping[str, Axes], fold: FoldResult, regions: dict[str, dict[str, Any]], *, several: bool
) -> list[Axes]:
    """Draw the row of a fold, and return the lowest plot of each column."""
    losses, dice = row["loss"], row["dice"]
    _draw_lines(losses, fold, _LOSSES)
    losses.set_ylabel("loss")
    losses.margins(y=0.12)
    for column in regions:
        dice.plot(fold.history["epoch"], fold.history[column], linewidth=_DARK_EDGE_WIDTH, color=TEXT_COLOUR)
    _draw_lines(dice, fold, regions)
    dice.set(ylabel="mean Dice", ylim=(-0.02, 1.1), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1])
    lowest = [losses, dice]
    if "rate" in row:
        rate = row["rate"]
        _draw_lines(rate, fold, _LEARNING_RATE)
        rate.set(ylabel="learning rate", ylim=(0, max(rate.get_ylim()[1], 1.2 * fold.history["learning_rate"].max())))
        rate.yaxis.set_major_locator(MaxNLocator(4))
        rate.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        rate.set_title(_skipped_text(fold), loc="right", fontsize=8)
        lowest.append(_add_skipped(figure, rate, fold))
    else:
        note = f"learning rate {fold.history['learning_rate'].iloc[-1]:g}, {_skipped_text(fold)}"
        list(row.values())[-1].set_title(note, loc="right", fontsize=8)
    if "skipped" in row:
        _draw_skipped(row["skipped"], fold)
        lowest.append(row["skipped"])
    if several:
        losses.set_title(f"Fold {fold.fold}", loc="left", fontweight="bold")
    for axes in {*row.values(), *lowest}:
        _draw_epoch_marks(axes, fold)
    for axes in row.values() if fold.refused else ():
        _draw_refused_marks(axes, fold)
    return lowest


def _draw_lines(axes: Axes, fold: FoldResult, styles: dict[str, dict[str, Any]]) -> None:
    marked = max(1, len(fold.history) // _MARKED_EPOCHS)
    for column, style in styles.items():
        axes.plot(fold.history["epoch"], fold.history[column], linewidth=1.6, markersize=5, markevery=marked, **style)


def _skipped_steps(fold: FoldResult) -> int:
    return int(fold.history[list(_SKIPPED)].to_numpy().sum())


def _skipped_text(fold: FoldResult) -> str:
    skipped = _skipped_steps(fold)
    steps = format_count(int(fold.history["steps"].sum()), "step")
    return f"{f'{skipped:,}' if skipped else 'none'} of {steps} skipped"


def _add_skipped(figure: Figure, rate: Axes, fold: FoldResult) -> Axes:
    """Draw the skipped steps below `rate`, if there are any, and return the lower plot."""
    cell = rate.get_subplotspec()
    if not _skipped_steps(fold) or cell is None:
        return rate
    parts = cell.subgridspec(2, 1, height_ratios=(5, 3), hspace=0)
    rate.set_subplotspec(parts[0])
    rate.tick_params(labelbottom=False)
    axes = figure.add_subplot(parts[1], sharex=rate)
    _draw_skipped(axes, fold)
    return axes


def _draw_skipped(axes: Axes, fold: FoldResult) -> None:
    """Draw a bar of the skipped steps for each epoch that has some."""
    width = max(1.0, min(6.0, _BAR_POINTS / len(fold.history)))
    bottom = 0 * fold.history["epoch"]
    for column, style in _SKIPPED.items():
        counts = fold.history[column]
        some = counts > 0
        axes.vlines(
            fold.history["epoch"][some], bottom[some], (bottom + counts)[some], linewidth=width, color=style["color"]
        )
        bottom = bottom + counts
    axes.set(ylabel="skipped\nsteps", ylim=(0, max(1.1 * bottom.max(), axes.get_ylim()[1])))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))


def _draw_epoch_marks(axes: Axes, fold: FoldResult) -> None:
    axes.axvline(fold.chosen, zorder=1, label="selected epoch", **_SELECTED_STYLE)
    for refused in fold.refused:
        axes.axvline(refused.epoch, zorder=1, **_REFUSED_STYLE)
    first, last = _epoch_range(fold)
    margin = max(0.5, 0.02 * (last - first))
    axes.set(xlim=(first - margin, last + margin))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.grid(visible=True)


def _draw_refused_marks(axes: Axes, fold: FoldResult) -> None:
    epochs = [refused.epoch for refused in fold.refused]
    heights = [_REFUSED_MARK] * len(epochs)
    axes.plot(epochs, heights, label="refused epoch", transform=axes.get_xaxis_transform(), **_CROSS_STYLE)


def _epoch_range(fold: FoldResult) -> tuple[int, int]:
    epochs = [*fold.history["epoch"], fold.chosen, *(refused.epoch for refused in fold.refused)]
    return min(epochs), max(epochs)


def _add_legend(figure: Figure, axes: Axes, handles: Sequence[Artist]) -> None:
    """Add a legend below the lowest plot of a column, at a distance that does not depend on the plot's height."""
    below = axes.transAxes + ScaledTranslation(0, -0.38, figure.dpi_scale_trans)
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=below,
        ncols=4,
        fontsize=8,
        columnspacing=1,
    )


def _curve_handles(styles: dict[str, dict[str, Any]]) -> list[Artist]:
    return [Line2D([], [], linewidth=1.6, markersize=5, **style) for style in styles.values()]


def _skipped_handles(folds: Sequence[FoldResult]) -> list[Artist]:
    """Return legend entries of the reasons why steps of any fold were skipped."""
    found = [column for column in _SKIPPED if any(fold.history[column].any() for fold in folds)]
    return [
        Patch(linewidth=0, facecolor=_SKIPPED[column]["color"], label=_SKIPPED[column]["label"]) for column in found
    ]


def _epoch_handles(folds: Sequence[FoldResult]) -> list[Artist]:
    """Return legend entries of the epochs that are marked in any fold."""
    selected = Line2D([], [], label="selected epoch", **_SELECTED_STYLE)
    refused = Line2D([], [], label="refused epoch", **{**_CROSS_STYLE, **_REFUSED_STYLE})
    return [selected, refused] if any(fold.refused for fold in folds) else [selected]
