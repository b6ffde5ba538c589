"""Figures of image slices: modalities, masks over an image, and predictions compared with references."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumorseg.plotting.agreement_map import DIMMED_BRIGHTNESS, outcome_map
from tumorseg.plotting.case_view import CaseView
from tumorseg.plotting.layout import Row, lay_out_rows, wrap_text
from tumorseg.plotting.panels import draw_image, draw_labels, draw_orientation, draw_outcomes
from tumorseg.plotting.shown_channel import has_channel, shown_channel
from tumorseg.plotting.slices import PLANES, Plane, SliceImage, extract_slice, grey_values
from tumorseg.plotting.style import (
    FigureSettings,
    add_legend,
    figure_style,
    label_handles,
    legend_lines,
    outcome_handles,
)
from tumorseg.task import Task

_EDGE_MM: Final = 3.0
"""Margin of panels around the brain on every side."""
_FEW_CHANNELS: Final = 2


@dataclass(frozen=True)
class PanelSize:
    """The extent of panels that fit the brains of all cases, with a margin.

    Attributes:
        width_mm: from left to right.
        depth_mm: from front to back.
        height_mm: from top to bottom.
    """

    width_mm: float
    depth_mm: float
    height_mm: float

    @classmethod
    def around(cls, cases: Sequence[CaseView]) -> "PanelSize":
        """Return the size that fits all of the cases; there must be at least one."""
        extents = [
            [voxels * size + 2 * _EDGE_MM for voxels, size in zip(case.brain.shape, case.spacing_mm, strict=True)]
            for case in cases
        ]
        return cls(*map(max, zip(*extents, strict=True)))


def modality_sheet(cases: Sequence[CaseView], task: Task) -> Figure:
    """Return a figure with an axial, a coronal and a sagittal slice of each channel of each case.

    With three or more channels, the axial slices are side by side and the others below them. With fewer, each channel
    has its own row.
    """
    size = PanelSize.around(cases)
    count = len(task.channels)
    layout = _side_by_side if count > _FEW_CHANNELS else _row_by_row
    rows = [row for case in cases for row in layout(case, size, channel_titles(case, range(count), task))]
    with figure_style():
        figure, panels = lay_out_rows(rows, foot_lines=0)
        axes = iter(panel for row in panels for panel in row)
        for case in cases:
            images = [grey_channel(case, channel) for channel in range(count)]
            for channel, plane in _panel_order(count):
                panel = next(axes)
                draw_image(panel, case_slice(case, images[channel], plane))
                draw_orientation(panel, plane)
    return figure


def channel_titles(case: CaseView, channels: Iterable[int], task: Task) -> list[str]:
    """Return the titles of the panels of some channels of a case, which say if it lacks the channel."""
    return [
        task.channels[channel].title + ("" if has_channel(case.image, channel) else " (missing)")
        for channel in channels
    ]


def _side_by_side(case: CaseView, size: PanelSize, titles: Sequence[str]) -> list[Row]:
    return [
        Row((size.width_mm,) * len(titles), size.depth_mm, heading=(case.title,), titles=tuple(titles)),
        Row((size.width_mm, size.depth_mm) * len(titles), size.height_mm),
    ]


def _row_by_row(case: CaseView, size: PanelSize, titles: Sequence[str]) -> list[Row]:
    widths, height = (size.width_mm, size.width_mm, size.depth_mm), max(size.depth_mm, size.height_mm)
    return [
        Row(widths, height, () if number else (case.title,), titles=tuple(f"{title}, {plane}" for plane in PLANES))
        for number, title in enumerate(titles)
    ]


def _panel_order(channels: int) -> list[tuple[int, Plane]]:
    """Return the channel and the plane of each panel of a case."""
    if channels <= _FEW_CHANNELS:
        return [(channel, plane) for channel in range(channels) for plane in PLANES]
    first, *others = PLANES
    below = [(channel, plane) for channel in range(channels) for plane in others]
    return [*((channel, first) for channel in range(channels)), *below]


def mask_sheet(
    cases: Sequence[CaseView],
    which: Literal["reference", "prediction"],
    settings: FigureSettings,
    *,
    task: Task,
    banner: str = "",
    notes: Sequence[str] = (),
) -> Figure:
    """Return a figure with the three planes of the display channel of each case, dimmed, under the labels of a mask.

    Args:
        cases: the cases.
        which: the mask to show.
        settings: colours and opacity of the labels.
        task: defines the channels, labels and regions.
        banner: a prominent warning above each case.
        notes: further warnings above each case, wrapped to the width of the figure.
    """

    def draw(case: CaseView, plane: Plane, axes: Axes) -> None:
        draw_labels(axes, case_slice(case, case.mask(which), plane), settings)

    lines = tuple(line for note in notes for line in wrap_text(note))
    handles = label_handles(settings, task)
    return _plane_sheet(cases, task, f"with the labels of the {which}", draw, handles, banner=banner, notes=lines)


def overlay_sheet(cases: Sequence[CaseView], task: Task) -> Figure:
    """Return a figure with the slices of `mask_sheet`, overlaid with the agreement of reference and prediction."""

    def draw(case: CaseView, plane: Plane, axes: Axes) -> None:
        codes = outcome_map(case.mask("reference"), case.mask("prediction"))
        draw_outcomes(axes, case_slice(case, codes, plane))

    return _plane_sheet(cases, task, "with the prediction compared with the reference", draw, outcome_handles(task))


def _plane_sheet(
    cases: Sequence[CaseView],
    task: Task,
    description: str,
    draw: Callable[[CaseView, Plane, Axes], None],
    handles: Sequence[Artist],
    *,
    banner: str = "",
    notes: tuple[str, ...] = (),
) -> Figure:
    """Return a figure with a row of the three planes, dimmed, for each case; `draw` adds an overlay to each panel."""
    size = PanelSize.around(cases)
    widths, height = (size.width_mm, size.width_mm, size.depth_mm), max(size.depth_mm, size.height_mm)
    rows = [
        Row(
            widths,
            height,
            (
                *wrap_text(case.title, title=True),
                f"{task.channels[shown_channel(case.image, task.display_channel)].title}, dimmed, {description}",
            ),
            titles=PLANES,
            banner=banner,
            notes=notes,
        )
        for case in cases
    ]
    with figure_style():
        figure, panels = lay_out_rows(rows, foot_lines=legend_lines(handles))
        for case, row in zip(cases, panels, strict=True):
            image = DIMMED_BRIGHTNESS * grey_channel(case, shown_channel(case.image, task.display_channel))
            for axes, plane in zip(row, PLANES, strict=True):
                draw_image(axes, case_slice(case, image, plane))
                draw(case, plane, axes)
                draw_orientation(axes, plane)
        add_legend(figure, handles)
    return figure


def case_slice(case: CaseView, volume: NDArray[Any], plane: Plane) -> SliceImage:
    """Return the slice that figures of a case show in a plane.

    Args:
        case: defines the slices and the voxel size.
        volume: image or labels of the case, (L, P, I).
        plane: plane of the slice.
    """
    return extract_slice(volume, case.spacing_mm, plane, case.slices[plane])


def grey_channel(case: CaseView, channel: int) -> NDArray[np.float32]:
    """Return a channel of a case as grey values from 0 to 1, (L, P, I)."""
    return grey_values(case.image[channel], case.brain)
