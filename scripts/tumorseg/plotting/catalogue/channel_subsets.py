"""Figure: Dice with each modality left out in turn."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the table of mean Dice of the held-out cases as a heat map."""
    from tumorseg.io.tables import read_table
    from tumorseg.plotting.heatmaps import modality_ablation

    return modality_ablation(read_table(files["left_out"][0], text_columns=("case", "left_out", "region")), task)


RECORD: Final = FigureRecord(
    name="left_out",
    draw=draw,
    needs=("left_out",),
    section="scores",
    title="Dice with one modality left out",
    caption="Mean Dice of the held-out cases, within the bounding box of the brain, with one modality left out (set to "
    "0, as background is), and below it the change. The network was trained with all modalities ({channels}): a small "
    "change does not mean that a network trained without the modality would perform as well.",
    alt="Heat map of mean Dice: modalities left out in rows, regions and labels in columns. The numbers are in "
    "results/evaluation/modalities_left_out.csv.",
    enabled_by="leave_out_modalities",
)
