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
from tumorseg.figures.style import FigureSettings, add_legend, context, label_handles, outcome_handles
from tumorseg.labels import MODALITIES, MODALITY_NAMES

_EDGE: Final = 3.0
"""Millimetres that panels show beyond the brain on every side."""


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


def modality_sheet(cases: Sequence[ShownCase]) -> Figure:
    """For each case an axial slice of the four modalities, and below each a coronal and a sagittal one."""
    box = Box.around(cases)
    names = tuple(MODALITY_NAMES[modality] for modality in MODALITIES)
    rows = []
    for case in cases:
        rows.append(Row((box.side,) * len(names), box.depth, heading=(case.title,), titles=names))
        rows.append(Row((box.side, box.depth) * len(names), box.height))
    with context():
        figure, panels = lay_out(rows, foot_lines=0)
        for case, axial, others in zip(cases, panels[0::2], panels[1::2], strict=True):
            for number, modality in enumerate(MODALITIES):
                image = shades(case, modality)
                trio = (axial[number], others[2 * number], others[2 * number + 1])
                for axes, plane in zip(trio, PLANES, strict=True):
                    draw_image(axes, slice_of(case, image, plane))
                    mark_plane(axes, plane)
    return figure


def mask_sheet(
    cases: Sequence[ShownCase],
    which: Literal["reference", "prediction"],
    settings: FigureSettings,
    *,
    banner: str = "",
    notes: Sequence[str] = (),
) -> Figure:
    """For each case the slices of `modality_sheet` in dimmed FLAIR with the labels of its reference or prediction.

    banner: what nobody may overlook. notes: warnings, of any length. Both stand above each case.
    """

    def draw(case: ShownCase, plane: Plane, axes: Axes) -> None:
        draw_labels(axes, slice_of(case, case.mask(which), plane), settings)

    heading = f"FLAIR, dimmed, with the labels of the {which}"
    lines = tuple(line for note in notes for line in wrapped(note))
    return _planes(cases, heading, draw, label_handles(settings), banner=banner, notes=lines)


def overlay_sheet(cases: Sequence[ShownCase]) -> Figure:
    """For each case the slices of `modality_sheet` in dimmed FLAIR with what agrees, is missed and is false."""

    def draw(case: ShownCase, plane: Plane, axes: Axes) -> None:
        outcomes = compare(case.mask("reference"), case.mask("prediction"))
        draw_comparison(axes, slice_of(case, outcomes, plane))

    heading = "FLAIR, dimmed, with the prediction compared with the reference"
    return _planes(cases, heading, draw, outcome_handles())


def _planes(
    cases: Sequence[ShownCase],
    heading: str,
    draw: Callable[[ShownCase, Plane, Axes], None],
    handles: Sequence[Artist],
    *,
    banner: str = "",
    notes: tuple[str, ...] = (),
) -> Figure:
    """A row of the three planes in dimmed FLAIR for each case; `draw` paints over them what `handles` explain."""
    box = Box.around(cases)
    widths, height = (box.side, box.side, box.depth), max(box.depth, box.height)
    rows = [
        Row(widths, height, (*wrapped(case.title, title=True), heading), titles=PLANES, banner=banner, notes=notes)
        for case in cases
    ]
    with context():
        figure, panels = lay_out(rows, foot_lines=1)
        for case, row in zip(cases, panels, strict=True):
            image = DIMMED * shades(case, "flair")
            for axes, plane in zip(row, PLANES, strict=True):
                draw_image(axes, slice_of(case, image, plane))
                draw(case, plane, axes)
                mark_plane(axes, plane)
        add_legend(figure, handles)
    return figure


def slice_of(case: ShownCase, volume: NDArray[Any], plane: Plane) -> Picture:
    """The slice of a case's turned volume (x, y, z) to show in a plane."""
    return cut(volume, case.spacing, plane, case.slices[plane])


def shades(case: ShownCase, modality: str) -> NDArray[np.float32]:
    """A modality of a case as grey values from 0 to 1, (x, y, z)."""
    return grey(case.image[MODALITIES.index(modality)], case.brain)
