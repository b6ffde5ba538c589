"""Figure: loss, validation Dice and learning rate by epoch of each fold."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_count
from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the learning curves of the folds."""
    from tumorseg.plotting.curves import learning_curves
    from tumorseg.training.fold_results import read_fold_results

    folds = read_fold_results(files["history"], files["selection"])
    logger.info("%s drawn", format_count(sum(len(fold.history) for fold in folds), "epoch"))
    return learning_curves(folds, task)


RECORD: Final = FigureRecord(
    name="learning_curves",
    draw=draw,
    needs=("history", "selection"),
    section="training",
    title="Learning curves",
    caption="By epoch: loss on the training and the validation cases, mean Dice of the regions on the validation "
    "cases, and the learning rate at the end of the epoch. Bars count steps that were skipped, by the gradient scaler "
    "or because the loss was not finite. The vertical line marks the selected epoch, a cross a refused checkpoint.",
    alt="Line plots of training and validation loss, validation Dice and learning rate by epoch, with the number of "
    "skipped steps. The numbers are in the history table below.",
)
