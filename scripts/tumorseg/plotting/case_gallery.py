"""Draw the gallery of cases: images, masks, their comparison, and scores."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorseg.plotting.agreement_map import DIMMED_BRIGHTNESS, outcome_map
from tumorseg.plotting.case_view import CaseView
from tumorseg.plotting.layout import Row, draw_note, lay_out_rows
from tumorseg.plotting.panels import draw_image, draw_labels, draw_orientation, draw_outcomes
from tumorseg.plotting.score_table import CONVENTION_NOTE, has_convention, table_header, table_rows
from tumorseg.plotting.sheets import channel_titles, grey_channel, tumour_slice
from tumorseg.plotting.shown_channel import shown_channel
from tumorseg.plotting.style import add_legend, figure_style, label_handles, legend_lines, outcome_handles
from tumorseg.task import Task

_MASK_TITLES: Final = ("reference", "prediction", "comparison")


def gallery_sheet(cases: Sequence[CaseView], colours: Mapping[int, str], task: Task) -> Figure:
    """Return a figure with the scores of each case, and its images, masks and comparison in an axial
    slice, in the part around both masks.

    Args:
        cases: the cases, with scores and both masks.
        colours: colour of each label as `#rrggbb`, by its value.
        task: defines the main channels to show; the masks lie over the last of them, or the first channel of a case
            that lacks it.

    Raises:
        ValueError: a case was read without its scores or a mask.
    """
    extents_mm = [tumour_slice(case, case.brain, "axial").extent_mm for case in cases]
    tables = [(table_header(), *table_rows(_scores_of(case), task)) for case in cases]
    rows = [
        Row((width_mm,) * len(titles), height_mm, heading=(case.title,), table=table, titles=titles)
        for case, table, titles, (width_mm, height_mm) in zip(
            cases, tables, (_panel_titles(case, task) for case in cases), extents_mm, strict=True
        )
    ]
    labels, outcomes = label_handles(colours, task), outcome_handles(task)
    above = legend_lines(outcomes)
    below_notes = above + legend_lines(labels)
    with figure_style():
        noted = any(has_convention(line) for table in tables for line in table)
        figure, panels = lay_out_rows(rows, foot_lines=below_notes + noted)
        for case, row in zip(cases, panels, strict=True):
            _draw_case(case, row, colours, task)
        if noted:
            draw_note(figure, CONVENTION_NOTE, line=below_notes)
        add_legend(figure, labels, line=above)
        add_legend(figure, outcomes)
    return figure


def _panel_titles(case: CaseView, task: Task) -> tuple[str, ...]:
    """Return the titles of the panels; those of the masks name the image behind them if it is not the usual one."""
    shown = _shown_channel(case, task)
    over = "" if shown == task.main_channels[-1] else f" over {task.channels[shown].title}"
    return (*channel_titles(case, task.main_channels, task), *(f"{title}{over}" for title in _MASK_TITLES))


def _shown_channel(case: CaseView, task: Task) -> int:
    return shown_channel(case.image, task.main_channels[-1])


def _draw_case(case: CaseView, row: Sequence[Axes], colours: Mapping[int, str], task: Task) -> None:
    reference, prediction = (tumour_slice(case, case.mask(which), "axial") for which in ("reference", "prediction"))
    images = [tumour_slice(case, grey_channel(case, channel), "axial") for channel in task.main_channels]
    behind = tumour_slice(case, grey_channel(case, _shown_channel(case, task)), "axial")
    dimmed = replace(behind, pixels=DIMMED_BRIGHTNESS * behind.pixels)
    for axes, image in zip(row, (*images, behind, behind, dimmed), strict=True):
        draw_image(axes, image)
        draw_orientation(axes, "axial")
    reference_axes, prediction_axes, comparison_axes = row[len(images) :]
    draw_labels(reference_axes, reference, colours)
    draw_labels(prediction_axes, prediction, colours)
    draw_outcomes(comparison_axes, replace(reference, pixels=outcome_map(reference.pixels, prediction.pixels)))


def _scores_of(case: CaseView) -> Mapping[str, Mapping[str, float]]:
    if case.scores is None:
        raise ValueError(f"{case.case} was read without its scores")
    return case.scores
