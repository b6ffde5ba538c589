"""Figure: slices of the selected cases with the labels of the reference."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the slices of the selected cases with their references."""
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.sheets import mask_sheet
    from tumorseg.plotting.style import FigureSettings

    return mask_sheet(
        load_figure_cases(files, task, settings), "reference", FigureSettings.from_dict(settings), task=task
    )


RECORD: Final = FigureRecord(
    name="ground_truth",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases", "opacity", "colours"),
    section="cases",
    title="Ground truth",
    caption="Labels of the reference over dimmed {display}, in three planes. {pieces} {slices}",
    alt="Slices of the selected cases in {display}, overlaid with the labels of the reference.",
    memory_mb=2000,
)
