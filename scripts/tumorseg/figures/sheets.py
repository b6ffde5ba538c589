"""The figures that show images: the modalities, a mask over the image, a prediction beside its reference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumorseg.figures.comparison import compare, outcome_handles
from tumorseg.figures.layout import Row, lay_out
from tumorseg.figures.panels import draw_comparison, draw_image, draw_labels, mark, mark_plane
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.slices import PLANES, Picture, Plane, cut, grey
from tumorseg.figures.style import FigureSettings, add_legend, context, label_handles
from tumorseg.labels import LABEL_NAMES, MODALITIES, MODALITY_NAMES, REGIONS

_DIMMED: Final = 0.5
"""Brightness of the image below the comparison, so that its hatches stand out over bright tumour too."""


@dataclass(frozen=True)
class _Box:
    """The largest extent of the shown cases in mm: side to side, front to back, head to foot."""

    side: float
    depth: float
    height: float

    @classmethod
    def around(cls, cases: Sequence[ShownCase]) -> "_Box":
        extents = [
            [voxels * size for voxels, size in zip(case.brain.shape, case.spacing, strict=True)] for case in cases
        ]
        return cls(*map(max, zip(*extents, strict=True)))


def modality_sheet(cases: Sequence[ShownCase]) -> Figure:
    """For each case an axial slice of the four modalities, and below each a coronal and a sagittal one."""
    box = _Box.around(cases)
    names = tuple(MODALITY_NAMES[modality] for modality in MODALITIES)
    rows = []
    for case in cases:
        rows.append(Row((box.side,) * len(names), box.depth, heading=(case.title,), titles=names))
        rows.append(Row((box.side, box.depth) * len(names), box.height))
    with context():
        figure, panels = lay_out(rows, foot_lines=0)
        for case, axial, others in zip(cases, panels[0::2], panels[1::2], strict=True):
            for number, modality in enumerate(MODALITIES):
                image = _grey(case, modality)
                trio = (axial[number], others[2 * number], others[2 * number + 1])
                for axes, plane in zip(trio, PLANES, strict=True):
                    draw_image(axes, _slice(case, image, plane))
                    mark_plane(axes, plane)
    return figure


def mask_sheet(
    cases: Sequence[ShownCase], which: Literal["reference", "prediction"], settings: FigureSettings
) -> Figure:
    """For each case the slices of `modality_sheet` in FLAIR with the labels of its reference or its prediction."""
    box = _Box.around(cases)
    widths, height = (box.side, box.side, box.depth), max(box.depth, box.height)
    rows = [Row(widths, height, heading=(case.title,), titles=PLANES) for case in cases]
    with context():
        figure, panels = lay_out(rows, foot_lines=1)
        for case, row in zip(cases, panels, strict=True):
            image = _grey(case, "flair")
            mask = case.mask(which)
            for axes, plane in zip(row, PLANES, strict=True):
                draw_image(axes, _slice(case, image, plane))
                draw_labels(axes, _slice(case, mask, plane), settings)
                mark_plane(axes, plane)
                mark(axes, f"FLAIR, {which}")
        add_legend(figure, label_handles(settings))
    return figure


def overlay_sheet(cases: Sequence[ShownCase], settings: FigureSettings) -> Figure:
    """For each case its axial T1CE slice, the reference, the prediction, and what agrees, is missed and is false."""
    box = _Box.around(cases)
    titles = ("T1CE", "reference", "prediction", "comparison")
    rows = [Row((box.side,) * 4, box.depth, heading=(case.title, _dice_line(case)), titles=titles) for case in cases]
    with context():
        figure, panels = lay_out(rows, foot_lines=2)
        for case, row in zip(cases, panels, strict=True):
            _draw_overlays(case, row, settings)
        add_legend(figure, label_handles(settings), line=1)
        add_legend(figure, outcome_handles())
    return figure


def _draw_overlays(case: ShownCase, row: Sequence[Axes], settings: FigureSettings) -> None:
    reference, prediction = case.mask("reference"), case.mask("prediction")
    image = _slice(case, _grey(case, "t1ce"), "axial")
    for axes in row[:3]:
        draw_image(axes, image)
    draw_image(row[3], replace(image, pixels=_DIMMED * image.pixels))
    for axes in row:
        mark_plane(axes, "axial")
    draw_labels(row[1], _slice(case, reference, "axial"), settings)
    draw_labels(row[2], _slice(case, prediction, "axial"), settings)
    draw_comparison(row[3], _slice(case, compare(reference, prediction), "axial"))


def _dice_line(case: ShownCase) -> str:
    names = {
        **{region: region for region in REGIONS},
        **{f"label_{label}": name for label, name in LABEL_NAMES.items()},
    }
    dice = case.dice or {}
    return "Dice: " + ", ".join(f"{name} {dice[structure]:.3f}" for structure, name in names.items())


def _slice(case: ShownCase, volume: NDArray[Any], plane: Plane) -> Picture:
    return cut(volume, case.spacing, plane, case.slices[plane])


def _grey(case: ShownCase, modality: str) -> NDArray[np.float32]:
    return grey(case.image[MODALITIES.index(modality)], case.brain)
