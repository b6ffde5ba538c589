"""Figure: reference and prediction of the selected cases as outlines, on the slices with the most tumour."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the outlined slices of the selected cases."""
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.contours import contour_sheet
    from tumorseg.plotting.style import label_colours

    cases = load_figure_cases(files, task, settings)
    return contour_sheet(cases, label_colours(settings), task, "most tumour")


RECORD: Final = FigureRecord(
    name="ground_truth",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases", "colours"),
    section="cases",
    title="Reference and prediction, slices with the most tumour",
    caption="{outlines} {slices} {cases}",
    alt="Slices with the most tumour of the selected cases, with the outlines of reference and "
    "prediction, a panel for each region.",
    memory_mb=2000,
)
