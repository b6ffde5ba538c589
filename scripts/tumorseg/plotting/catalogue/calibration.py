"""Figure: reliability diagrams of the predicted probabilities."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the reliability diagrams of the held-out cases."""
    from tumorseg.io.files import read_json
    from tumorseg.plotting.reliability import reliability_diagrams

    return reliability_diagrams(read_json(files["calibration"][0])["curves"], task)


RECORD: Final = FigureRecord(
    name="calibration",
    draw=draw,
    needs=("calibration",),
    section="scores",
    title="Calibration",
    caption="Observed frequency of a region in the reference against its predicted probability, in 15 bins, over the "
    "brain voxels of all held-out cases, before post-processing. On the dashed line the two are equal; below it the "
    "network is overconfident. Bars count the voxels of each bin; points of bins with fewer than 100 voxels are "
    "hollow. The expected calibration error is the mean absolute difference between the two, weighted by voxels "
    "(Guo et al. 2017).",
    alt="Reliability diagrams of each region and of the most probable label. The numbers are in "
    "results/evaluation/calibration.json.",
    enabled_by="calibration",
)
