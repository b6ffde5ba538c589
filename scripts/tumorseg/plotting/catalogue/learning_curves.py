"""Figure: loss, validation Dice and learning rate by epoch of each fold."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_count
from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the learning curves of the folds."""
    from tumorseg.plotting.curves import learning_curves
    from tumorseg.plotting.style import label_colours
    from tumorseg.training.fold_results import read_fold_results

    folds = read_fold_results(files["history"], files["selection"])
    logger.info("%s drawn", format_count(sum(len(fold.history) for fold in folds), "epoch"))
    return learning_curves(folds, task, label_colours(settings))


RECORD: Final = FigureRecord(
    name="learning_curves",
    draw=draw,
    needs=("history", "selection"),
    settings=("colours",),
    section="training",
    title="Learning curves",
    caption="By epoch: loss on the training and the validation cases, and mean Dice of the regions on the validation "
    "cases; the learning rate at the end of the epoch, if it varies. Bars count skipped steps: by the gradient scaler, "
    "or because the loss was not finite. The vertical line marks the selected epoch, a cross a refused "
    "checkpoint.",
    alt="Line plots of training and validation loss and of validation Dice by epoch, of the learning rate if "
    "it varies, and of skipped steps if there are any. The numbers are in the history table below.",
)
