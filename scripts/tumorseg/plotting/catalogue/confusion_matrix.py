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
    caption="Tumour voxels of the references (rows) by predicted label (columns), summed over all held-out cases: "
    "percentage of the row, and number of voxels. Below each column: the number of voxels predicted as the label, and "
    "how many of them are background in the reference. Background itself has no row: nearly all of it is far from the "
    "tumour.",
    alt="Confusion matrix with the labels of the reference in rows and the predicted labels in columns. The numbers "
    "are in results/evaluation/summary.json.",
)
