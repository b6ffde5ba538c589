"""Reliability diagrams of the probabilities."""

from typing import Final

from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the bins."""
    from tumorseg.io.files import read_json
    from tumorseg.plotting.reliability import reliability_diagrams

    return reliability_diagrams(read_json(files["calibration"][0])["curves"], task)


RECORD: Final = FigureRecord(
    name="calibration",
    draw=draw,
    needs=("calibration",),
    section="scores",
    title="Calibration",
    caption="The probability that the network gives to a region, in 15 bins, beside the share of those voxels that "
    "belong to it in the reference; over the voxels of the brain of all held-out cases, before any post-processing. On "
    "the dashed line both are the same; below it the network is too sure. The bars count the voxels of each bin; "
    "the point of a bin with fewer than 100 is hollow. The expected calibration error is the mean difference of "
    "both over the voxels (Guo et al. 2017).",
    alt="Reliability diagrams of the regions and of the most probable label. The numbers are in "
    "results/evaluation/calibration.json.",
    enabled_by="calibration",
)
