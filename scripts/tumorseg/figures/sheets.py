"""The figures that show images: the modalities, a mask over the image, a prediction compared with its reference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumorseg.figures.comparison import DIMMED, compare
from tumorseg.figures.layout import Row, lay_out, wrapped
from tumorseg.figures.panels import draw_comparison, draw_image, draw_labels, mark_plane
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.slices import PLANES, Picture, Plane, cut, grey
from tumorseg.figures.style import FigureSettings, add_legend, context, label_handles, legend_lines, outcome_handles
from tumorseg.task import Task

_EDGE: Final = 3.0
"""Millimetres that panels show beyond the brain on every side."""
_FEW_CHANNELS: Final = 2


@dataclass(frozen=True)
class Box:
    """The largest extent of the shown cases in mm, with an edge: side to side, front to back, head to foot."""

    side: float
    depth: float
    height: float

    @classmethod
    def around(cls, cases: Sequence[ShownCase]) -> "Box":
        """That of `cases`, of which there is at least one."""
        extents = [
            [voxels * size + 2 * _EDGE for voxels, size in zip(case.brain.shape, case.spacing, strict=True)]
            for case in cases
        ]
        return cls(*map(max, zip(*extents, strict=True)))


def modality_sheet(cases: Sequence[ShownCase], task: Task) -> Figure:
    """For each case an axial, a coronal and a sagittal slice of each channel.

    Of three channels and more the axial slices stand side by side, and the others below them; of fewer, each channel
    has a row of its own.
    """
    box = Box.around(cases)
    titles = [channel.title for channel in task.channels]
    layout = _side_by_side if len(titles) > _FEW_CHANNELS else _row_by_row
    with context():
        figure, panels = lay_out([row for case in cases for row in layout(case, box, titles)], foot_lines=0)
        axes = iter(panel for row in panels for panel in row)
        for case in cases:
            images = [shades(case, channel) for channel in range(len(titles))]
            for channel, plane in _order(len(titles)):
                panel = next(axes)
                draw_image(panel, slice_of(case, images[channel], plane))
                mark_plane(panel, plane)
    return figure


def _side_by_side(case: ShownCase, box: Box, titles: Sequence[str]) -> list[Row]:
    return [
        Row((box.side,) * len(titles), box.depth, heading=(case.title,), titles=tuple(titles)),
        Row((box.side, box.depth) * len(titles), box.height),
    ]


def _row_by_row(case: ShownCase, box: Box, titles: Sequence[str]) -> list[Row]:
    widths, height = (box.side, box.side, box.depth), max(box.depth, box.height)
    return [
        Row(widths, height, () if number else (case.title,), titles=tuple(f"{title}, {plane}" for plane in PLANES))
        for number, title in enumerate(titles)
    ]


def _order(channels: int) -> list[tuple[int, Plane]]:
    """The channel and the plane of each panel of a case."""
    if channels <= _FEW_CHANNELS:
        return [(channel, plane) for channel in range(channels) for plane in PLANES]
    first, *others = PLANES
    below = [(channel, plane) for channel in range(channels) for plane in others]
    return [*((channel, first) for channel in range(channels)), *below]


def mask_sheet(
    cases: Sequence[ShownCase],
    which: Literal["reference", "prediction"],
    settings: FigureSettings,
    *,
    task: Task,
    banner: str = "",
    notes: Sequence[str] = (),
) -> Figure:
    """For each case the three planes of the display channel, dimmed, with the labels of its reference or prediction.

    banner: what nobody may overlook. notes: warnings, of any length. Both stand above each case.
    """

    def draw(case: ShownCase, plane: Plane, axes: Axes) -> None:
        draw_labels(axes, slice_of(case, case.mask(which), plane), settings)

    lines = tuple(line for note in notes for line in wrapped(note))
    handles = label_handles(settings, task)
    return _planes(cases, task, f"with the labels of the {which}", draw, handles, banner=banner, notes=lines)


def overlay_sheet(cases: Sequence[ShownCase], task: Task) -> Figure:
    """For each case the slices of `mask_sheet` with what agrees, is missed and is false."""

    def draw(case: ShownCase, plane: Plane, axes: Axes) -> None:
        codes = compare(case.mask("reference"), case.mask("prediction"))
        draw_comparison(axes, slice_of(case, codes, plane))

    return _planes(cases, task, "with the prediction compared with the reference", draw, outcome_handles(task))


def _planes(
    cases: Sequence[ShownCase],
    task: Task,
    painted: str,
    draw: Callable[[ShownCase, Plane, Axes], None],
    handles: Sequence[Artist],
    *,
    banner: str = "",
    notes: tuple[str, ...] = (),
) -> Figure:
    """A row of the three planes, dimmed, for each case; `draw` paints over them what `handles` explain."""
    box = Box.around(cases)
    widths, height = (box.side, box.side, box.depth), max(box.depth, box.height)
    heading = f"{task.channels[task.display_channel].title}, dimmed, {painted}"
    rows = [
        Row(widths, height, (*wrapped(case.title, title=True), heading), titles=PLANES, banner=banner, notes=notes)
        for case in cases
    ]
    with context():
        figure, panels = lay_out(rows, foot_lines=legend_lines(handles))
        for case, row in zip(cases, panels, strict=True):
            image = DIMMED * shades(case, task.display_channel)
            for axes, plane in zip(row, PLANES, strict=True):
                draw_image(axes, slice_of(case, image, plane))
                draw(case, plane, axes)
                mark_plane(axes, plane)
        add_legend(figure, handles)
    return figure


def slice_of(case: ShownCase, volume: NDArray[Any], plane: Plane) -> Picture:
    """The slice of a case's turned volume (x, y, z) to show in a plane."""
    return cut(volume, case.spacing, plane, case.slices[plane])


def shades(case: ShownCase, channel: int) -> NDArray[np.float32]:
    """A channel of a case, by its position, as grey values from 0 to 1, (x, y, z)."""
    return grey(case.image[channel], case.brain)
