"""Lay out rows of panels on a page of fixed width, with space for titles, warnings, tables and legends."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from tumorseg.plotting.panels import draw_scale_bar, frame_panel, scale_bar_length
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, LEGEND_LINE_INCHES, TEXT_COLOUR, WARNING_COLOUR

_MARGIN_INCHES: Final = 0.12
_GAP: Final = 0.05
_HEADING_LINE: Final = 0.19
_HEADING_SPACE: Final = 0.12
_BANNER: Final = 0.36
_NOTE_LINE: Final = 0.17
_NOTES_SPACE: Final = 0.06
_TITLE: Final = 0.22
_TABLE_LINE: Final = 0.18
_NAME_COLUMN: Final = 2.2
_VALUE_COLUMN: Final = 1.15  # inches, like all above
_NOTE_CHARACTERS: Final = 122
_TITLE_CHARACTERS: Final = 95
"""Characters in a line of text across the figure (digits, the widest, still fit); titles are bold."""
_SCALE_SHARE: Final = 0.4
"""Maximal length of a scale bar, as a fraction of the narrowest panel of its row."""


@dataclass(frozen=True)
class Row:
    """A row of panels, with the text above it.

    Attributes:
        widths_mm: width of each panel.
        height_mm: height of the panels.
        heading: lines of text above the panels, the first one bold.
        table: rows of cells below the notes, all of equal length; the first row is the header.
        titles: a title above each panel.
        banner: text in a band across the figure, above everything else.
        notes: warning lines below the heading.
    """

    widths_mm: tuple[float, ...]
    height_mm: float
    heading: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    titles: tuple[str, ...] = ()
    banner: str = ""
    notes: tuple[str, ...] = ()

    @property
    def _inches_per_mm(self) -> float:
        available = FIGURE_WIDTH_INCHES - 2 * _MARGIN_INCHES - _GAP * (len(self.widths_mm) - 1)
        return available / sum(self.widths_mm)

    @property
    def _above(self) -> float:
        """The height of the text above the panels in inches."""
        heading = _HEADING_SPACE + _HEADING_LINE * len(self.heading) if self.heading else 0.0
        notes = _NOTES_SPACE + _NOTE_LINE * len(self.notes) if self.notes else 0.0
        banner = _BANNER if self.banner else 0.0
        return banner + heading + notes + _TABLE_LINE * len(self.table) + (_TITLE if self.titles else 0.0)


def wrap_text(text: str, *, title: bool = False) -> tuple[str, ...]:
    """Return a text in lines that fit across a figure, as notes of a row or, if `title`, in bold."""
    return tuple(wrap(text, _TITLE_CHARACTERS if title else _NOTE_CHARACTERS))


def lay_out_rows(rows: Sequence[Row], *, foot_lines: int) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure with rows of panels, each row as wide as the figure.

    Args:
        rows: the rows from top to bottom.
        foot_lines: number of legend lines to leave free at the bottom.

    Returns:
        The figure, and for each row its framed panels, each with a scale bar.
    """
    foot = _MARGIN_INCHES + LEGEND_LINE_INCHES * foot_lines
    total = _MARGIN_INCHES + foot + sum(row._above + row.height_mm * row._inches_per_mm + _GAP for row in rows)
    figure = Figure(figsize=(FIGURE_WIDTH_INCHES, total))
    panels = []
    top = total - _MARGIN_INCHES
    for row in rows:
        _draw_heading(figure, row, top, total)
        top -= row._above
        height = row.height_mm * row._inches_per_mm
        panels.append(_add_panels(figure, row, top - height, total))
        top -= height + _GAP
    return figure, panels


def draw_note(figure: Figure, text: str, *, line: int) -> None:
    """Add a line of text at the bottom of a figure.

    Args:
        figure: the figure.
        text: the text.
        line: number of the line, counted upwards from 0, as in `style.add_legend`.
    """
    height = (LEGEND_LINE_INCHES * line + 0.15) / figure.get_figheight()
    figure.text(0.5, height, text, ha="center", va="center")


def _draw_heading(figure: Figure, row: Row, top: float, total: float) -> None:
    if row.banner:
        top = _draw_banner(figure, row.banner, top, total)
    baseline = top - _HEADING_SPACE
    for number, line in enumerate(row.heading):
        baseline -= _HEADING_LINE
        weight = "bold" if number == 0 else "normal"
        figure.text(
            _MARGIN_INCHES / FIGURE_WIDTH_INCHES, (baseline + 0.05) / total, line, fontweight=weight, va="bottom"
        )
    baseline -= _NOTES_SPACE if row.notes else 0
    for line in row.notes:
        baseline -= _NOTE_LINE
        figure.text(
            _MARGIN_INCHES / FIGURE_WIDTH_INCHES, (baseline + 0.05) / total, line, color=WARNING_COLOUR, va="bottom"
        )
    for number, cells in enumerate(row.table):
        baseline -= _TABLE_LINE
        figure.text(_MARGIN_INCHES / FIGURE_WIDTH_INCHES, (baseline + 0.05) / total, cells[0], va="bottom")
        for column, cell in enumerate(cells[1:], start=1):
            right = _MARGIN_INCHES + _NAME_COLUMN + _VALUE_COLUMN * column
            figure.text(right / FIGURE_WIDTH_INCHES, (baseline + 0.05) / total, cell, ha="right", va="bottom")
        if number == 0:
            ends = (
                _MARGIN_INCHES / FIGURE_WIDTH_INCHES,
                (_MARGIN_INCHES + _NAME_COLUMN + _VALUE_COLUMN * (len(cells) - 1)) / FIGURE_WIDTH_INCHES,
            )
            heights = 2 * [(baseline + 0.03) / total]
            figure.add_artist(Line2D(ends, heights, color=TEXT_COLOUR, linewidth=0.6))


def _draw_banner(figure: Figure, text: str, top: float, total: float) -> float:
    """Draw white text in a band across the figure, and return the bottom of the band in inches."""
    height = _BANNER - 0.06
    corner = (_MARGIN_INCHES / FIGURE_WIDTH_INCHES, (top - height) / total)
    figure.add_artist(
        Rectangle(corner, 1 - 2 * _MARGIN_INCHES / FIGURE_WIDTH_INCHES, height / total, color=WARNING_COLOUR)
    )
    figure.text(
        0.5, (top - height / 2) / total, text, color="white", fontsize=12, fontweight="bold", ha="center", va="center"
    )
    return top - _BANNER


def _add_panels(figure: Figure, row: Row, bottom: float, total: float) -> list[Axes]:
    height = row.height_mm * row._inches_per_mm
    length = scale_bar_length(_SCALE_SHARE * min(row.widths_mm))
    left = _MARGIN_INCHES
    panels = []
    for number, width in enumerate(row.widths_mm):
        inches = width * row._inches_per_mm
        axes = figure.add_axes(
            (left / FIGURE_WIDTH_INCHES, bottom / total, inches / FIGURE_WIDTH_INCHES, height / total)
        )
        frame_panel(axes, width, row.height_mm)
        draw_scale_bar(axes, length, inset_mm=0.06 / row._inches_per_mm)
        if row.titles:
            axes.set_title(row.titles[number], pad=4)
        panels.append(axes)
        left += inches + _GAP
    return panels
