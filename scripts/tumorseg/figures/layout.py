"""Rows of panels on a page of fixed width, every panel in true proportion, and text only where room is kept for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorseg.figures.panels import frame
from tumorseg.figures.style import FOOT_LINE, WIDTH

_MARGIN: Final = 0.12
_GAP: Final = 0.05
_HEADING_LINE: Final = 0.19
_HEADING_SPACE: Final = 0.12
_TITLE: Final = 0.22  # inches, as all above


@dataclass(frozen=True)
class Row:
    """A row of panels. widths, height: in mm. heading: lines of text above it. titles: one above each panel."""

    widths: tuple[float, ...]
    height: float
    heading: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()

    @property
    def _scale(self) -> float:
        room = WIDTH - 2 * _MARGIN - _GAP * (len(self.widths) - 1)
        return room / sum(self.widths)

    @property
    def _above(self) -> float:
        heading = _HEADING_SPACE + _HEADING_LINE * len(self.heading) if self.heading else 0.0
        return heading + (_TITLE if self.titles else 0.0)


def lay_out(rows: Sequence[Row], *, foot_lines: int) -> tuple[Figure, list[list[Axes]]]:
    """A figure as high as its rows need, each row across the whole width, with room for legends at the foot.

    Returns the figure and, for each row, its framed panels.
    """
    foot = _MARGIN + FOOT_LINE * foot_lines
    total = _MARGIN + foot + sum(row._above + row.height * row._scale + _GAP for row in rows)
    figure = Figure(figsize=(WIDTH, total))
    panels = []
    top = total - _MARGIN
    for row in rows:
        _write_heading(figure, row, top, total)
        top -= row._above
        height = row.height * row._scale
        panels.append(_add_panels(figure, row, top - height, total))
        top -= height + _GAP
    return figure, panels


def _write_heading(figure: Figure, row: Row, top: float, total: float) -> None:
    baseline = top - _HEADING_SPACE
    for number, line in enumerate(row.heading):
        baseline -= _HEADING_LINE
        weight = "bold" if number == 0 else "normal"
        figure.text(_MARGIN / WIDTH, (baseline + 0.05) / total, line, fontweight=weight, va="bottom")


def _add_panels(figure: Figure, row: Row, bottom: float, total: float) -> list[Axes]:
    height = row.height * row._scale
    left = _MARGIN
    panels = []
    for number, width in enumerate(row.widths):
        inches = width * row._scale
        axes = figure.add_axes((left / WIDTH, bottom / total, inches / WIDTH, height / total))
        frame(axes, width, row.height)
        if row.titles:
            axes.set_title(row.titles[number], pad=4)
        panels.append(axes)
        left += inches + _GAP
    return panels
