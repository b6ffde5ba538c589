"""Figure: distributions of the scores of the held-out cases, by region and label."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_count
from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the box plots of the held-out cases."""
    from tumorseg.io.tables import read_table
    from tumorseg.metrics.structure_scores import TEXT_COLUMNS
    from tumorseg.plotting.distributions import score_distributions

    scores = read_table(files["scores"][0], text_columns=TEXT_COLUMNS)
    logger.info("scores of %s drawn", format_count(scores["case"].nunique(), "case"))
    return score_distributions(scores, task)


RECORD: Final = FigureRecord(
    name="scores",
    draw=draw,
    needs=("scores",),
    section="scores",
    title="Distribution of the scores",
    caption="Each point is a held-out case. Boxes show the median and the quartiles, whiskers reach to the last case "
    "within 1.5 interquartile ranges of the box. With fewer than 10 cases there are no boxes, and only Dice is shown: "
    "the other scores are in results/evaluation/cases.csv. A label that equals a region is left out. If a structure "
    "is absent from the reference, its score is defined by convention (1 if it is absent from the prediction too, "
    "else 0) and drawn as a hollow diamond; with more than 100 cases, the number beside a diamond is the number of "
    "its cases.",
    alt="Box plots of several scores, with a point for each case, by region and label. The numbers are in the table "
    "of the scores of each case.",
    file="score_distributions",
)
