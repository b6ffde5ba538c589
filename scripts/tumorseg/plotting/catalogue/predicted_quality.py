"""Figure: true Dice of each held-out case against the Dice that was expected without its reference."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the scatter plots of the held-out cases."""
    from tumorseg.evaluation.reliability import RELIABILITY_TEXT_COLUMNS
    from tumorseg.io.tables import read_table
    from tumorseg.plotting.quality_scatter import predicted_quality

    return predicted_quality(read_table(files["reliability"][0], text_columns=RELIABILITY_TEXT_COLUMNS), task)


RECORD: Final = FigureRecord(
    name="predicted_quality",
    draw=draw,
    needs=("reliability",),
    section="scores",
    title="Expected and true Dice",
    caption="Each point is a held-out case whose predicted mask has the region. The expected Dice comes from the "
    "probabilities of its own mask and from the other patients, as for a new patient. On the dashed line both are "
    "equal. With fewer than 10 held-out patients there is no expected Dice, and the axis has the soft Dice: the "
    "Dice of the probabilities with the mask.",
    alt="Scatter plots of the true Dice against the expected Dice, one for each region. The numbers are in "
    "results/evaluation/reliability.csv.",
)
