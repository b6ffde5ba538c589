"""Figure: HD95 and lesion-wise scores of the held-out cases, by region."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the plots of the held-out cases."""
    from tumorseg.io.tables import read_table
    from tumorseg.metrics.structure_scores import TEXT_COLUMNS
    from tumorseg.plotting.distance_distributions import distance_distributions

    return distance_distributions(read_table(files["scores"][0], text_columns=TEXT_COLUMNS), task)


RECORD: Final = FigureRecord(
    name="distance_distributions",
    draw=draw,
    needs=("scores",),
    section="scores",
    title="Distances and lesion-wise scores",
    caption="Each point is a held-out case that has the region in the reference and in the prediction. Below the axis "
    "is the number of other cases: the region is missed (in the reference only), false (in the prediction "
    "only) or absent from both. A distance does not exist for them. The tables count missed and false regions "
    "as 374 mm, and as a Dice of 0. Lesion-wise HD95 is a mean in which each missed or false lesion counts as "
    "374 mm. Boxes show the median and the quartiles, whiskers reach to the last case within 1.5 "
    "interquartile ranges of the box, for 10 or more cases. The scale of distances is logarithmic above 2 mm.",
    alt="Box plots of HD95, lesion-wise HD95 and lesion-wise Dice by region, with a point for each case, and the "
    "numbers of missed, false and absent regions in words. The numbers are in results/evaluation/cases.csv.",
)
