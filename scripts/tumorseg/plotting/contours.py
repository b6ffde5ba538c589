"""Figures of outlines on images at full contrast: reference against prediction, and the mask of a new patient."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from tumorseg.plotting.axes import split_into_rows
from tumorseg.plotting.case_view import CaseView
from tumorseg.plotting.layout import Row, lay_out_rows, wrap_text
from tumorseg.plotting.panels import draw_image, draw_labels, draw_orientation, draw_outline
from tumorseg.plotting.sheets import PanelSize, case_slice, grey_channel, tumour_slice
from tumorseg.plotting.shown_channel import shown_channel
from tumorseg.plotting.slices import PLANES, Plane
from tumorseg.plotting.style import add_legend, figure_style, label_handles, legend_lines, region_colours
from tumorseg.task import Region, Task

_MAX_PANELS: Final = 4
"""Panels side by side."""
_REFERENCE_STYLE: Final[dict[str, Any]] = {"linewidth": 1.7, "linestyle": "-"}
_PREDICTION_STYLE: Final[dict[str, Any]] = {"linewidth": 1.4, "linestyle": (0, (3.2, 2.2)), "color": "white"}
_DARK_EDGE: Final = [withStroke(linewidth=3.0, foreground="black", alpha=0.75)]


def contour_sheet(cases: Sequence[CaseView], colours: Mapping[int, str], task: Task, slice_name: str) -> Figure:
    """Return a figure with reference and prediction of each case as outlines, a panel for each region.

    The whole tumour lies over the display channel, the other regions over the other main channel. The panels of a case
    show the part of its axial slice around both masks; those of a task with one region show the three planes.

    Args:
        cases: the cases, with both masks.
        colours: colour of each label as `#rrggbb`, by its value.
        task: defines the channels and regions.
        slice_name: which slices of the cases are shown, for the heading.

    Raises:
        ValueError: a case was read without a mask.
    """
    line_colours = region_colours(colours, task)
    layout = [(case, panels) for case in cases for panels in split_into_rows(_panels(task), _MAX_PANELS)]
    rows = [_row(case, panels, task, slice_name if panels[0] == _panels(task)[0] else None) for case, panels in layout]
    handles = _outline_handles(line_colours, task)
    with figure_style():
        figure, axes_of_rows = lay_out_rows(rows, foot_lines=legend_lines(handles))
        for (case, panels), row in zip(layout, axes_of_rows, strict=True):
            for axes, (region, plane) in zip(row, panels, strict=True):
                image = grey_channel(case, _channel_behind(case, region, task))
                draw_image(axes, tumour_slice(case, image, plane))
                _draw_outlines(axes, case, region, plane, line_colours[region.name])
                draw_orientation(axes, plane)
        add_legend(figure, handles)
    return figure


def patient_sheet(
    case: CaseView, colours: Mapping[int, str], task: Task, *, banner: str = "", notes: Sequence[str] = ()
) -> Figure:
    """Return a figure with the predicted labels of a new patient as outlines, in three planes of each main channel.

    Args:
        case: the patient, with a prediction.
        colours: colour of each label as `#rrggbb`, by its value.
        task: defines the channels and labels.
        banner: a prominent warning above the panels.
        notes: further warnings above the panels, wrapped to the width of the figure.

    Raises:
        ValueError: the patient was read without a prediction.
    """
    size = PanelSize.around([case])
    first, *others = dict.fromkeys(shown_channel(case.image, channel) for channel in task.main_channels)
    lines = tuple(line for note in notes for line in wrap_text(note))
    title = wrap_text(case.title, title=True)
    rows = [
        size.plane_row((*title, _subtitle(first, task)), banner=banner, notes=lines),
        *(size.plane_row((_subtitle(channel, task),)) for channel in others),
    ]
    handles = label_handles(colours, task)
    mask = case.mask("prediction")
    with figure_style():
        figure, panels = lay_out_rows(rows, foot_lines=legend_lines(handles))
        for channel, row in zip((first, *others), panels, strict=True):
            image = grey_channel(case, channel)
            for axes, plane in zip(row, PLANES, strict=True):
                draw_image(axes, case_slice(case, image, plane))
                draw_labels(axes, case_slice(case, mask, plane), colours)
                draw_orientation(axes, plane)
        add_legend(figure, handles)
    return figure


def _subtitle(channel: int, task: Task) -> str:
    return f"{task.channels[channel].title}, with the outlines of the predicted labels"


def _panels(task: Task) -> list[tuple[Region, Plane]]:
    """Return the region and the plane of each panel of a case."""
    if len(task.regions) == 1:
        return [(task.regions[0], plane) for plane in PLANES]
    return [(region, "axial") for region in task.regions]


def _row(case: CaseView, panels: Sequence[tuple[Region, Plane]], task: Task, slice_name: str | None) -> Row:
    """Return a row of panels; `slice_name`: which slices they show if the row is the first one of its case."""
    extents_mm = [tumour_slice(case, case.brain, plane).extent_mm for _, plane in panels]
    heading: tuple[str, ...] = ()
    if slice_name is not None:
        shown = "Axial slice" if len(task.regions) > 1 else "Slices"
        heading = (*wrap_text(case.title, title=True), f"{shown} with the {slice_name}")
    titles = tuple(
        f"{region.name} on {task.channels[_channel_behind(case, region, task)].title}"
        + (f", {plane}" if len(task.regions) == 1 else "")
        for region, plane in panels
    )
    widths_mm, heights_mm = zip(*extents_mm, strict=True)
    return Row(widths_mm, max(heights_mm), heading=heading, titles=titles)


def _channel_behind(case: CaseView, region: Region, task: Task) -> int:
    preferred = task.display_channel if region.name == task.whole_tumour else task.main_channels[0]
    return shown_channel(case.image, preferred)


def _draw_outlines(axes: Axes, case: CaseView, region: Region, plane: Plane, colour: str) -> None:
    for which, style in _line_styles(colour).items():
        mask = tumour_slice(case, case.mask(which), plane)
        draw_outline(axes, replace(mask, pixels=np.isin(mask.pixels, region.labels)), style)


def _line_styles(colour: str) -> dict[str, dict[str, Any]]:
    """Return the line styles of the reference and of the prediction, which is drawn over it."""
    return {
        "reference": {**_REFERENCE_STYLE, "color": colour, "path_effects": _DARK_EDGE},
        "prediction": {**_PREDICTION_STYLE, "path_effects": _DARK_EDGE},
    }


def _outline_handles(colours: Mapping[str, str], task: Task) -> list[Artist]:
    """Return legend entries: the reference of each region, and the prediction."""
    references: list[Artist] = [
        Line2D([], [], **_line_styles(colours[region.name])["reference"], label=f"reference, {region.title}")
        for region in task.regions
    ]
    return [*references, Line2D([], [], **_line_styles("white")["prediction"], label="prediction")]
