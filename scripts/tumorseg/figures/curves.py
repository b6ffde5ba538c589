"""Learning curves: loss and validation Dice by epoch, a row of two plots for each fold."""

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tumorseg.figures.folds import Fold
from tumorseg.figures.style import INK, WIDTH, context

_ROW_HEIGHT: Final = 3.3
_LOSSES: Final[dict[str, dict[str, Any]]] = {
    "train_loss": {"label": "training", "color": "#0072b2", "linestyle": "-", "marker": "o"},
    "validation_loss": {"label": "validation", "color": "#d55e00", "linestyle": "--", "marker": "s"},
}
_REGIONS: Final[dict[str, dict[str, Any]]] = {
    "WT": {"color": "#0072b2", "linestyle": "-", "marker": "o"},
    "TC": {"color": "#d55e00", "linestyle": "--", "marker": "s"},
    "ET": {"color": "#009e73", "linestyle": ":", "marker": "^"},
}
_MARKED_EPOCHS: Final = 40  # with more, markers run into each other
_REFUSED_MARK: Final = 0.96
"""Height of the mark of a refused epoch, as a fraction of the plot's: above the curves."""


def learning_curves(folds: Sequence[Fold]) -> Figure:
    """Losses at the left, Dice of the regions at the right, with the chosen and the refused epochs marked."""
    with context():
        figure = Figure(figsize=(WIDTH, _ROW_HEIGHT * len(folds)), layout="constrained")
        rows = figure.subplots(len(folds), 2, squeeze=False)
        for fold, (losses, dice) in zip(folds, rows, strict=True):
            _draw_losses(losses, fold)
            _draw_dice(dice, fold)
    return figure


def _draw_losses(axes: Axes, fold: Fold) -> None:
    for column, look in _LOSSES.items():
        _draw_line(axes, fold, column, look)
    axes.set(title=f"Fold {fold.fold}: loss", ylabel="loss")
    axes.margins(y=0.12)
    _finish(axes, fold)


def _draw_dice(axes: Axes, fold: Fold) -> None:
    for region, look in _REGIONS.items():
        _draw_line(axes, fold, f"dice_{region}", {"label": region, **look})
    axes.set(
        title=f"Fold {fold.fold}: Dice on the validation cases",
        ylabel="mean Dice",
        ylim=(-0.02, 1.1),
        yticks=[0, 0.2, 0.4, 0.6, 0.8, 1],
    )
    _finish(axes, fold)


def _draw_line(axes: Axes, fold: Fold, column: str, look: dict[str, Any]) -> None:
    if len(fold.history) > _MARKED_EPOCHS:
        look = {**look, "marker": None}
    axes.plot(fold.history["epoch"], fold.history[column], linewidth=1.6, markersize=5, **look)


def _finish(axes: Axes, fold: Fold) -> None:
    axes.axvline(fold.chosen, color=INK, linewidth=1.2, zorder=1, label="chosen epoch")
    for number, refused in enumerate(fold.refused):
        axes.axvline(refused.epoch, color="#888888", linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        label = "refused epoch" if number == 0 else None
        axes.plot(
            refused.epoch,
            _REFUSED_MARK,
            "X",
            color=INK,
            markersize=7,
            label=label,
            transform=axes.get_xaxis_transform(),
        )
    first, last = _epochs(fold)
    margin = max(0.5, 0.02 * (last - first))
    axes.set(xlabel="epoch", xlim=(first - margin, last + margin))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.grid(visible=True)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=5, fontsize=8)


def _epochs(fold: Fold) -> tuple[int, int]:
    epochs = [*fold.history["epoch"], fold.chosen, *(refused.epoch for refused in fold.refused)]
    return min(epochs), max(epochs)
