"""Image, reference, prediction and their comparison, case by case."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from tumorseg.figures.command import draw_cases
from tumorseg.figures.sheets import overlay_sheet
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.style import FigureSettings


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_overlays."""
    draw_cases("figure_overlays", __doc__, _draw, arguments, predictions=True)


def _draw(cases: Sequence[ShownCase], settings: dict[str, Any]) -> Figure:
    return overlay_sheet(cases, FigureSettings.from_dict(settings))


if __name__ == "__main__":
    main()
