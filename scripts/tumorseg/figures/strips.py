"""A small picture of a case for the row of a table: what was seen, what was marked, what was found."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.figures.comparison import DIMMED, OUTCOMES, compare
from tumorseg.figures.slices import Picture, cut, first_tumour, fullest_slices, grey
from tumorseg.normalise.crop import cropped_affine
from tumorseg.normalise.store import NormalisedCase
from tumorseg.orientation import turned, turned_spacing
from tumorseg.pages.tiles import coloured, fitted, painted, strip
from tumorseg.task import Task

SIDE: Final = 96
"""Pixels of a tile along each side."""
_SMALL_SIDE: Final = 64
_MANY: Final = 400
"""Cases above which tiles are small: one page holds the strips of all cases, and has to stay below 25 MB."""
_OUTCOME_COLOURS: Final = {outcome.code: outcome.colour for outcome in OUTCOMES}


def tiles(task: Task) -> tuple[str, ...]:
    """Return what the tiles of a strip show, from left to right."""
    return (*(task.channels[channel].title for channel in task.main_channels), "reference", "prediction", "comparison")


def side_for(cases: int) -> int:
    """Pixels of a tile along each side where one page holds the strips of so many cases."""
    return SIDE if cases <= _MANY else _SMALL_SIDE


def case_strip(
    case: NormalisedCase, prediction: NDArray[np.uint8], colours: Mapping[int, str], *, task: Task, side: int = SIDE
) -> bytes:
    """The main channels, and over the last of them the reference, the prediction, and their comparison, as a WebP file.

    All in the axial slice with most tumour in the reference, or in the prediction where the reference has none.
    prediction: uint8 of the shape of the case's mask, labels of the task. colours: of each label, as `#rrggbb`.
    side: pixels of a tile along each side.
    """
    affine = cropped_affine(case.origin)
    reference, predicted = turned(case.mask, affine), turned(prediction, affine)
    index = fullest_slices(first_tumour(reference, predicted, task=task, shape=reference.shape))["axial"]

    def axial(volume: NDArray[np.generic]) -> Picture:
        return cut(volume, turned_spacing(affine), "axial", index)

    marks, finds = axial(reference), axial(predicted)
    pixel = (marks.height, marks.width)
    images = np.stack([axial(turned(channel, affine)).pixels for channel in case.image])
    brain = (images != 0).any(axis=0)
    shown = [
        fitted((255 * grey(images[channel], brain)).round().astype(np.uint8), side, pixel=pixel)
        for channel in task.main_channels
    ]
    under = shown[-1]
    marked, found, outcomes = (
        fitted(codes, side, pixel=pixel, smooth=False)
        for codes in (marks.pixels, finds.pixels, compare(marks.pixels, finds.pixels))
    )
    dimmed = (DIMMED * under).astype(np.uint8)
    return strip(
        [
            *map(coloured, shown),
            painted(under, marked, colours),
            painted(under, found, colours),
            painted(dimmed, outcomes, _OUTCOME_COLOURS),
        ]
    )
