"""Figure: Dice of each region by the number of training cases. Only the target `learning_curve` draws it."""

from typing import Final

from tumorseg.plotting.figure_record import FigureRecord, Files, MatplotlibFigure, Settings
from tumorseg.task import Task


def draw(files: Files, task: Task, settings: Settings) -> MatplotlibFigure:
    """Return the learning curve of each region."""
    from tumorseg.learning_curve.score_tables import mean_dice, read_scores
    from tumorseg.plotting.case_count_chart import dice_by_training_cases

    return dice_by_training_cases(mean_dice(read_scores(files["learning_curve"][0])), task)


RECORD: Final = FigureRecord(
    name="dice_by_training_cases",
    draw=draw,
    needs=("learning_curve",),
    section="training",
    title="Dice by number of training cases",
    caption="Mean Dice of the held-out cases after trainings on subsets of the training cases, all with the same "
    "number of steps. A small mark is one seed, which chooses the cases and the first weights. The line is the mean "
    "over the seeds; the bars reach from the lowest to the highest. 0 cases: the start model as it is.",
    alt="Line plots of mean Dice against the number of training cases, a plot for each region and a line for each "
    "start of the training. The numbers are in results/learning_curve/summary.csv.",
)
