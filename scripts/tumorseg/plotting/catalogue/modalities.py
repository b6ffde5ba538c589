"""Figure: slices of every channel through the tumours of the selected cases."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the slices of all channels of the selected cases."""
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
    alt="Greyscale brain slices of the selected cases in {channels}, in three planes.",
    memory_mb=2000,
)
