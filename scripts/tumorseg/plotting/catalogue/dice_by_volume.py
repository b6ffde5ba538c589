"""Dice of each held-out case against the volume in its reference, by region."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_count
from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the held-out cases."""
    from tumorseg.io.tables import read_table
    from tumorseg.metrics.scores import TEXT_COLUMNS
    from tumorseg.plotting.dice_scatter import dice_by_volume

    scores = read_table(files["scores"][0], text_columns=TEXT_COLUMNS)
    logger.info("%s drawn", format_count(scores["case"].nunique(), "case"))
    return dice_by_volume(scores, task)


RECORD: Final = FigureRecord(
    name="dice_by_volume",
    draw=draw,
    needs=("scores",),
    section="scores",
    title="Dice against tumour volume",
    caption="Every point is a case that the model was not trained on. Where the reference lacks the region, it has no "
    "volume and its Dice is a convention (1 if the prediction lacks it too, else 0): such cases are counted in "
    "the strip at the left. ρ is Spearman's rank correlation over the n cases that have the region, told from 5 "
    "cases on; of more than 100, the squares are the medians of tenths of them, with quartiles.",
    alt="Scatter plots of Dice against the reference's volume on a logarithmic axis, one for each region. The numbers "
    "are in the table of the scores of each case.",
)
