"""Dice with each channel left out in turn."""

from typing import Final

from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the held-out cases."""
    from tumorseg.io.tables import read_table
    from tumorseg.plotting.heatmaps import modality_ablation

    return modality_ablation(read_table(files["left_out"][0], text_columns=("case", "left_out", "region")), task)


RECORD: Final = FigureRecord(
    name="left_out",
    draw=draw,
    needs=("left_out",),
    section="scores",
    title="Without each modality",
    caption="Mean Dice of the held-out cases, within the brain's box, with one modality left out (set to 0, as "
    "background is), and below it the change. The network was trained with all of them ({channels}): a small change "
    "does not mean that one trained without the modality would do as well.",
    alt="A table of mean Dice: modalities left out in rows, regions and labels in columns. The numbers are in "
    "results/evaluation/modalities_left_out.csv.",
    enabled_by="leave_out_modalities",
)
