"""Distribution of the scores of all cases, by region and label."""

from typing import Final

from tumorseg.cli.console import logger
from tumorseg.formatting import format_count
from tumorseg.plotting.record import Drawn, FigureRecord, Files, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> Drawn:
    """Return the figure of the held-out cases."""
    from tumorseg.io.tables import read_table
    from tumorseg.metrics.scores import TEXT_COLUMNS
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
    caption="Every point is a case that the model was not trained on. The box spans the quartiles around the median. "
    "Where the reference lacks a structure, its score is a convention (1 if the prediction lacks it too, else 0) "
    "and the point is a hollow diamond, which of more than 100 cases stands for as many as the number beside it "
    "says.",
    alt="Box plots with single points of several scores for each region and label. The numbers "
    "are in the table of the scores of each case.",
    file="score_distributions",
)
