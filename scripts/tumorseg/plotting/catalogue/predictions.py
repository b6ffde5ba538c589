"""Figure: reference and prediction of the selected cases as outlines, on the slices with the largest errors."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the outlined slices of the selected cases."""
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.contours import contour_sheet
    from tumorseg.plotting.style import label_colours

    cases = [case.at_largest_error() for case in load_figure_cases(files, task, settings)]
    return contour_sheet(cases, label_colours(settings), task, "largest disagreement")


RECORD: Final = FigureRecord(
    name="predictions",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases", "colours"),
    section="cases",
    title="Reference and prediction, slices with the largest disagreement",
    caption="{outlines} {error_slices}",
    alt="Slices with the largest disagreement of the selected cases, with the outlines of reference and "
    "prediction, a panel for each region.",
    memory_mb=2000,
)
