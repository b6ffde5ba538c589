"""Images, masks, comparison and numbers of the best, the median and the worst case."""

from typing import Final

from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the shown cases."""
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
    title="Cases from the best to the worst",
    caption="{main_channels}, the reference, the prediction, and their comparison: {outcomes}. The numbers are those "
    "of the whole case. A number in brackets is a convention, where the reference or the prediction lacks the "
    "structure. {slices} {cases}",
    alt="For each shown case a table of its scores and volumes, and beside each other the slices of {main_channels}, "
    "the reference, the prediction, and a map of {outcome_names}.",
    megabytes=2000,
)
