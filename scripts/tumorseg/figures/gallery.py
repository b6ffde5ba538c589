"""A few cases in full: their images, their masks and their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorseg.figures.comparison import DIMMED, compare
from tumorseg.figures.layout import Row, lay_out, write_note
from tumorseg.figures.numbers import NOTE, has_convention, heads, number_lines
from tumorseg.figures.panels import draw_comparison, draw_image, draw_labels, mark_plane
from tumorseg.figures.sheets import Box, shades, slice_of
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.style import FigureSettings, add_legend, context, label_handles, legend_lines, outcome_handles
from tumorseg.task import Task

_MASKS: Final = ("reference", "prediction", "comparison")


def gallery_sheet(cases: Sequence[ShownCase], settings: FigureSettings, task: Task) -> Figure:
    """For each case its numbers and, in the axial slice, its main channels, both masks and their comparison.

    The masks lie over the display channel. Raises ValueError where a case was read without its scores or a mask.
    """
    box = Box.around(cases)
    titles = (*(task.channels[channel].title for channel in task.main_channels), *_MASKS)
    tables = [(heads(), *number_lines(_scores_of(case), task)) for case in cases]
    rows = [
        Row((box.side,) * len(titles), box.depth, heading=(case.title,), table=table, titles=titles)
        for case, table in zip(cases, tables, strict=True)
    ]
    labels, outcomes = label_handles(settings, task), outcome_handles(task)
    above = legend_lines(outcomes)
    below_notes = above + legend_lines(labels)
    with context():
        noted = any(has_convention(line) for table in tables for line in table)
        figure, panels = lay_out(rows, foot_lines=below_notes + noted)
        for case, row in zip(cases, panels, strict=True):
            _draw(case, row, settings, task)
        if noted:
            write_note(figure, NOTE, line=below_notes)
        add_legend(figure, labels, line=above)
        add_legend(figure, outcomes)
    return figure


def _draw(case: ShownCase, row: Sequence[Axes], settings: FigureSettings, task: Task) -> None:
    reference, prediction = (slice_of(case, case.mask(which), "axial") for which in ("reference", "prediction"))
    images = [slice_of(case, shades(case, channel), "axial") for channel in task.main_channels]
    dimmed = replace(images[-1], pixels=DIMMED * images[-1].pixels)
    for axes, image in zip(row, (*images, *[dimmed] * len(_MASKS)), strict=True):
        draw_image(axes, image)
        mark_plane(axes, "axial")
    of_reference, of_prediction, of_both = row[len(images) :]
    draw_labels(of_reference, reference, settings)
    draw_labels(of_prediction, prediction, settings)
    draw_comparison(of_both, replace(reference, pixels=compare(reference.pixels, prediction.pixels)))


def _scores_of(case: ShownCase) -> Mapping[str, Mapping[str, float]]:
    if case.scores is None:
        raise ValueError(f"{case.case} was read without its scores")
    return case.scores
