"""Slices of every channel through the tumour of the best, the median and the worst case."""

from typing import Final

from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the shown cases."""
    from tumorseg.plotting.case_selection import load_figure_cases
    from tumorseg.plotting.sheets import modality_sheet

    return modality_sheet(load_figure_cases(files, task, settings), task)


RECORD: Final = FigureRecord(
    name="modalities",
    draw=draw,
    needs=("normalised", "predictions", "scores"),
    settings=("cases",),
    section="cases",
    title="Modalities",
    caption="Axial, coronal and sagittal slices of {channels} after normalisation. {slices} {cases}",
    alt="Grey-scale brain slices of the shown cases in {channels}, in three planes.",
    megabytes=2000,
)
