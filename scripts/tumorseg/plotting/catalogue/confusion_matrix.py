"""What the voxels of each label were taken for, over all held-out cases."""

from typing import Final

from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the counts in the summary."""
    from tumorseg.io.files import read_json
    from tumorseg.plotting.heatmaps import confusion_matrix

    return confusion_matrix(read_json(files["summary"][0])["confusion"]["voxels"], task)


RECORD: Final = FigureRecord(
    name="confusion_matrix",
    draw=draw,
    needs=("summary",),
    section="scores",
    title="Confusion of the labels",
    caption="Which label the voxels of each label of the reference were given, over all held-out cases together: share "
    "of the row, and number of voxels. Background is the whole grid around the tumour, most of it far from it.",
    alt="A table of the labels of the reference in rows and the predicted labels in columns. The numbers are in "
    "results/evaluation/summary.json.",
)
