"""Figure: confusion matrix of the labels over all held-out cases."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the confusion matrix from the counts in the summary."""
    from tumorseg.io.files import read_json
    from tumorseg.plotting.heatmaps import confusion_matrix

    return confusion_matrix(read_json(files["summary"][0])["confusion"]["voxels"], task)


RECORD: Final = FigureRecord(
    name="confusion_matrix",
    draw=draw,
    needs=("summary",),
    section="scores",
    title="Confusion matrix",
    caption="Voxels by label in the reference (rows) and predicted label (columns), summed over all held-out cases: "
    "percentage of the row, and number of voxels. Background is the rest of the image grid, most of it far from the "
    "tumour.",
    alt="Confusion matrix with the labels of the reference in rows and the predicted labels in columns. The numbers "
    "are in results/evaluation/summary.json.",
)
