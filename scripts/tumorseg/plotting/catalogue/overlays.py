"""Figure: slices of the selected cases with a map of agreement, missed and false tumour."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the slices of the selected cases with their agreement maps."""
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.sheets import overlay_sheet

    cases = [case.at_largest_error() for case in load_figure_cases(files, task, settings)]
    return overlay_sheet(cases, task)


RECORD: Final = FigureRecord(
    name="overlays",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases",),
    section="cases",
    title="Comparison of reference and prediction",
    caption="Reference and prediction compared voxel by voxel, over dimmed {display}: {outcomes}. {error_slices}",
    alt="Slices of the selected cases in {display}, overlaid with a map of {outcome_names}.",
    memory_mb=2000,
)
