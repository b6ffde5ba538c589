"""The same slices with what agrees, what is missed and what is false."""

from typing import Final

from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the shown cases."""
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.sheets import overlay_sheet

    return overlay_sheet(load_figure_cases(files, task, settings), task)


RECORD: Final = FigureRecord(
    name="overlays",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases",),
    section="cases",
    title="Prediction compared with reference",
    caption="Prediction and reference voxel by voxel over dimmed {display}, on the same slices: {outcomes}. {slices}",
    alt="{display} slices of the shown cases with a map of {outcome_names}.",
    megabytes=2000,
)
