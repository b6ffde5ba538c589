"""Figure: images, masks, comparison and scores of cases from the best to the worst."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the gallery of the selected cases."""
    from tumorseg.plotting.case_gallery import gallery_sheet
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.style import FigureSettings

    return gallery_sheet(load_figure_cases(files, task, settings), FigureSettings.from_dict(settings), task)


RECORD: Final = FigureRecord(
    name="gallery",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases", "opacity", "colours"),
    section="cases",
    title="Cases from best to worst",
    caption="{main_channels}, the reference, the prediction, and their comparison: {outcomes}. Scores and volumes are "
    "of the whole case. Values in brackets are defined by convention, because the structure is absent from the "
    "reference or the prediction. {slices} {cases}",
    alt="For each selected case a table of its scores and volumes, and side by side the slices of {main_channels}, "
    "the reference, the prediction, and a map of {outcome_names}.",
    memory_mb=2000,
)
