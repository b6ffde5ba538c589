"""A few cases in full: their images, their masks and their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorseg.figures.comparison import DIMMED, compare
from tumorseg.figures.layout import Row, lay_out, write_note
from tumorseg.figures.numbers import HEADS, NOTE, has_convention, number_lines
from tumorseg.figures.panels import draw_comparison, draw_image, draw_labels, mark_plane
from tumorseg.figures.sheets import Box, shades, slice_of
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.style import FigureSettings, add_legend, context, label_handles, outcome_handles
from tumorseg.labels import MODALITY_NAMES

_IMAGES: Final = ("t1ce", "flair")
_TITLES: Final = (*(MODALITY_NAMES[modality] for modality in _IMAGES), "reference", "prediction", "comparison")


def gallery_sheet(cases: Sequence[ShownCase], settings: FigureSettings) -> Figure:
    """For each case its numbers and, in the axial slice, T1CE, FLAIR, both masks and their comparison over FLAIR.

    Raises ValueError where a case was read without its scores or a mask.
    """
    box = Box.around(cases)
    tables = [(HEADS, *number_lines(_scores_of(case))) for case in cases]
    rows = [
        Row((box.side,) * len(_TITLES), box.depth, heading=(case.title,), table=table, titles=_TITLES)
        for case, table in zip(cases, tables, strict=True)
    ]
    with context():
        noted = any(has_convention(line) for table in tables for line in table)
        figure, panels = lay_out(rows, foot_lines=3 if noted else 2)
        for case, row in zip(cases, panels, strict=True):
            _draw(case, row, settings)
        if noted:
            write_note(figure, NOTE, line=2)
        add_legend(figure, label_handles(settings), line=1)
        add_legend(figure, outcome_handles())
    return figure


def _draw(case: ShownCase, row: Sequence[Axes], settings: FigureSettings) -> None:
    reference, prediction = (slice_of(case, case.mask(which), "axial") for which in ("reference", "prediction"))
    t1ce, flair = (slice_of(case, shades(case, modality), "axial") for modality in _IMAGES)
    dimmed = replace(flair, pixels=DIMMED * flair.pixels)
    for axes, image in zip(row, (t1ce, flair, dimmed, dimmed, dimmed), strict=True):
        draw_image(axes, image)
        mark_plane(axes, "axial")
    draw_labels(row[2], reference, settings)
    draw_labels(row[3], prediction, settings)
    draw_comparison(row[4], replace(reference, pixels=compare(reference.pixels, prediction.pixels)))


def _scores_of(case: ShownCase) -> Mapping[str, Mapping[str, float]]:
    if case.scores is None:
        raise ValueError(f"{case.case} was read without its scores")
    return case.scores
