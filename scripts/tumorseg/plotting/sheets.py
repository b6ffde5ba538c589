"""Figures of image slices: modalities, and maps of the agreement of predictions and references."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumorseg.plotting.agreement_map import DIMMED_BRIGHTNESS, outcome_map
from tumorseg.plotting.case_view import CaseView
from tumorseg.plotting.layout import Row, lay_out_rows, wrap_text
from tumorseg.plotting.panels import draw_image, draw_orientation, draw_outcomes
from tumorseg.plotting.shown_channel import has_channel, shown_channel
from tumorseg.plotting.slices import PLANES, Plane, SliceImage, crop_slice, extract_slice, grey_values, window_around
from tumorseg.plotting.style import add_legend, figure_style, legend_lines, outcome_handles
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

    def plane_row(self, heading: tuple[str, ...], *, banner: str = "", notes: tuple[str, ...] = ()) -> Row:
        """Return a row of an axial, a coronal and a sagittal panel."""
        widths_mm, height_mm = (self.width_mm, self.width_mm, self.depth_mm), max(self.depth_mm, self.height_mm)
        return Row(widths_mm, height_mm, heading, titles=PLANES, banner=banner, notes=notes)


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


def overlay_sheet(cases: Sequence[CaseView], task: Task) -> Figure:
    """Return a figure with the agreement of reference and prediction of each case in three planes.

    The map lies over the display channel, dimmed.
    """
    size = PanelSize.around(cases)
    shown = [shown_channel(case.image, task.display_channel) for case in cases]
    rows = [
        size.plane_row(
            (
                *wrap_text(case.title, title=True),
                f"{task.channels[channel].title}, dimmed, with the prediction compared with the reference",
            )
        )
        for case, channel in zip(cases, shown, strict=True)
    ]
    handles = outcome_handles(task)
    with figure_style():
        figure, panels = lay_out_rows(rows, foot_lines=legend_lines(handles))
        for case, channel, row in zip(cases, shown, panels, strict=True):
            image = DIMMED_BRIGHTNESS * grey_channel(case, channel)
            codes = outcome_map(case.mask("reference"), case.mask("prediction"))
            for axes, plane in zip(row, PLANES, strict=True):
                draw_image(axes, case_slice(case, image, plane))
                draw_outcomes(axes, case_slice(case, codes, plane))
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


def tumour_slice(case: CaseView, volume: NDArray[Any], plane: Plane) -> SliceImage:
    """Return the part of the slice of `case_slice` around both masks, see `slices.window_around`.

    Args:
        case: defines the slices, the masks and the voxel size.
        volume: image or labels of the case, (L, P, I).
        plane: plane of the slice.
    """
    tumour = (case.mask("reference") > 0) | (case.mask("prediction") > 0)
    return crop_slice(case_slice(case, volume, plane), window_around(case_slice(case, tumour, plane)))


def grey_channel(case: CaseView, channel: int) -> NDArray[np.float32]:
    """Return a channel of a case as grey values from 0 to 1, (L, P, I)."""
    return grey_values(case.image[channel], case.brain)
