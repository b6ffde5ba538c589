"""Figure: images, masks, comparison and scores of cases from the best to the worst."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the gallery of the selected cases."""
    from tumorseg.plotting.case_gallery import gallery_sheet
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.style import label_colours

    cases = [case.at_largest_error() for case in load_figure_cases(files, task, settings)]
    return gallery_sheet(cases, label_colours(settings), task)


RECORD: Final = FigureRecord(
    name="gallery",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases", "colours"),
    section="cases",
    title="Cases from best to worst",
    caption="{main_channels}, the outlines of the labels in the reference and in the prediction, and their comparison: "
    "{outcomes}. {pieces} Scores and volumes are of the whole case. Values in brackets are defined by convention, "
    "because the structure is absent from the reference or the prediction. {error_slices} {cases}",
    alt="For each selected case a table of its scores and volumes, and side by side the part of a slice around the "
    "tumour in {main_channels}, with the labels of the reference, of the prediction, and with a map of "
    "{outcome_names}.",
    memory_mb=2000,
)
