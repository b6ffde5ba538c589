"""The same slices with the expert's labels over FLAIR."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from tumorseg.figures.command import draw_cases
from tumorseg.figures.sheets import mask_sheet
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.style import FigureSettings
from tumorseg.task import Task


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_ground_truth."""
    draw_cases("figure_ground_truth", __doc__, _draw, arguments)


def _draw(cases: Sequence[ShownCase], settings: dict[str, Any], task: Task) -> Figure:
    return mask_sheet(cases, "reference", FigureSettings.from_dict(settings), task=task)


if __name__ == "__main__":
    main()
