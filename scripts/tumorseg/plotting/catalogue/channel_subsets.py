"""Figure: Dice with each subset of the channels."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the table of mean Dice of the held-out cases as a heat map."""
    from tumorseg.io.tables import read_table
    from tumorseg.plotting.heatmaps import subset_dice

    return subset_dice(read_table(files["channel_subsets"][0], text_columns=("channels", "trained")), task)


RECORD: Final = FigureRecord(
    name="channel_subsets",
    draw=draw,
    needs=("channel_subsets",),
    section="scores",
    title="Dice with fewer modalities",
    caption="Mean Dice of the held-out cases, within the bounding box of the brain, with each subset of the modalities "
    "({channels}), and below it the change to all modalities, if the cases are the same. The others are set to 0, as "
    "background is. In brackets: number of cases, if some lack modalities. A star marks subsets that the network was "
    "not trained with: another network could do better with them.",
    alt="Heat map of mean Dice: subsets of the modalities in rows, regions and labels in columns. The numbers are in "
    "results/evaluation/channel_subsets.csv.",
    enabled_by="leave_out_modalities",
)
