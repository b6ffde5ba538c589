"""Figure: differences of the predicted volumes from those of the references, by region."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the Bland-Altman plots of the held-out cases."""
    from tumorseg.io.tables import read_table
    from tumorseg.metrics.structure_scores import TEXT_COLUMNS
    from tumorseg.plotting.volume_agreement import volume_agreement

    return volume_agreement(read_table(files["scores"][0], text_columns=TEXT_COLUMNS), task)


RECORD: Final = FigureRecord(
    name="volume_agreement",
    draw=draw,
    needs=("scores",),
    section="scores",
    title="Agreement of volumes",
    caption="Bland-Altman plots (Bland and Altman 1986). Each point is a held-out case: the difference between the "
    "predicted volume and that of the reference, against the mean of both. Lines are the mean difference and "
    "the 95 % limits of agreement, the mean ± 1.96 standard deviations (SD), for 10 or more cases. Cases that "
    "have the region in neither mask are left out.",
    alt="Plots of the difference between predicted and true volume against their mean, one for each region. The "
    "volumes are in results/evaluation/cases.csv.",
)
