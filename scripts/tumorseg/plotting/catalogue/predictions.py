"""Slices of the shown cases with the predicted labels over the display channel."""

from typing import Final

from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the shown cases."""
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
    caption="The predicted labels over dimmed {display}, on the slices of the ground truth. {pieces} {slices}",
    alt="{display} slices of the shown cases with the predicted labels painted over them.",
    megabytes=2000,
)
