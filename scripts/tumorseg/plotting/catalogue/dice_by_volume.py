"""Figure: Dice of each held-out case against its volume in the reference, by region."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_count
from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the scatter plots of the held-out cases."""
    from tumorseg.io.tables import read_table
    from tumorseg.metrics.structure_scores import TEXT_COLUMNS
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
    caption="Each point is a held-out case. If the region is absent from the reference, Dice is defined by convention "
    "(1 if it is absent from the prediction too, else 0), and the case is counted in the strip on the left. "
    "ρ is Spearman's rank correlation over the n cases that have the region, shown for 10 or more cases. For more than "
    "100 cases, squares show the median and quartiles of each tenth of the cases, sorted by volume.",
    alt="Scatter plots of Dice against the volume in the reference on a logarithmic axis, one for each region. The "
    "numbers are in the table of the scores of each case.",
)
