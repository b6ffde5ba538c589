"""Figure: share of the lesions that are found, by volume, and false lesions, by region."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the plots of the lesions of all held-out cases."""
    from tumorseg.evaluation.lesion_table import LESION_TEXT_COLUMNS
    from tumorseg.io.tables import read_table
    from tumorseg.plotting.lesion_detection import lesion_detection

    return lesion_detection(read_table(files["lesions"][0], text_columns=LESION_TEXT_COLUMNS), task)


RECORD: Final = FigureRecord(
    name="lesion_detection",
    draw=draw,
    needs=("lesions",),
    section="scores",
    title="Detection of lesions by size",
    caption="Top: each line is a lesion of a reference, at the top if a predicted component touches it, else at the "
    "bottom. As in the lesion-wise scores, to touch is to overlap the lesion after three dilations, so that a "
    "component up to three voxels away counts, too. Points are the shares found in each range of volumes, with the 95 "
    "% interval of Wilson (1927), for 10 or more lesions; below are the numbers found and in all. The interval takes "
    "lesions as independent, although several may be of one patient. Bottom: components of the predictions that touch "
    "no lesion. Lesions are those of the lesion-wise scores; these do not count lesions up to 0.05 ml, but a false "
    "lesion of any size.",
    alt="Plots of the share of found lesions against their volume on a logarithmic axis, and bars of the false "
    "lesions, for each region. The numbers are in results/evaluation/lesions.csv.",
)
