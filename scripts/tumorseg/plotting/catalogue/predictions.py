"""Figure: slices of the selected cases with the predicted labels."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the slices of the selected cases with their predictions."""
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.sheets import mask_sheet
    from tumorseg.plotting.style import FigureSettings

    return mask_sheet(
        load_figure_cases(files, task, settings), "prediction", FigureSettings.from_dict(settings), task=task
    )


RECORD: Final = FigureRecord(
    name="predictions",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases", "opacity", "colours"),
    section="cases",
    title="Predictions",
    caption="Predicted labels over dimmed {display}, on the same slices as the ground truth. {pieces} {slices}",
    alt="Slices of the selected cases in {display}, overlaid with the predicted labels.",
    memory_mb=2000,
)
