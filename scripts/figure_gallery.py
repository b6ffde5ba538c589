"""Images, masks, comparison and numbers of the best, the median and the worst case."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from tumorseg.figures.command import draw_cases
from tumorseg.figures.gallery import gallery_sheet
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.style import FigureSettings
from tumorseg.task import Task


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_gallery."""
    draw_cases("figure_gallery", __doc__, _draw, arguments)


def _draw(cases: Sequence[ShownCase], settings: dict[str, Any], task: Task) -> Figure:
    return gallery_sheet(cases, FigureSettings.from_dict(settings), task)


if __name__ == "__main__":
    main()
