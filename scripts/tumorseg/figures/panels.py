"""Drawing of one panel: the image in true proportion, regions painted over it with their exact borders, marks."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from tumorseg.figures.comparison import OUTCOMES
from tumorseg.figures.outlines import border, deepest, squares
from tumorseg.figures.scale import length_label
from tumorseg.figures.slices import PLANE_ENDS, Picture, Plane
from tumorseg.figures.style import FigureSettings

_POINTS: Final = 7.5
_DIGIT_POINTS: Final = 6.5
_DIGIT_ROOM: Final = 0.05
"""Inches that a label's digit takes around its middle."""
_ABOVE: Final = 5
"""Where marks lie: above images, regions and their borders."""


def frame(axes: Axes, width: float, height: float) -> None:
    """Make `axes` a black panel of `width` by `height` mm, with (0, 0) at its centre and y downwards."""
    axes.set(xlim=(-width / 2, width / 2), ylim=(height / 2, -height / 2), xticks=[], yticks=[], facecolor="black")
    axes.spines[:].set_visible(False)


def draw_image(axes: Axes, picture: Picture) -> None:
    """Draw grey values from 0 to 1 at the centre of a framed panel."""
    width, height = picture.extent
    axes.imshow(
        picture.pixels,
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(-width / 2, width / 2, height / 2, -height / 2),
        interpolation="bilinear",
        aspect="auto",  # the frame is in mm already, and wider than the picture where another case is wider
    )


def draw_labels(axes: Axes, mask: Picture, settings: FigureSettings) -> None:
    """Paint the labels of a slice over the image, with its digit in each piece into which it fits.

    The digits tell the labels apart without colour.
    """
    for label, colour in settings.colours.items():
        region = mask.pixels == label
        _draw_region(axes, mask, region, colour, settings.opacity)
        for place, room in deepest(region, (mask.height, mask.width)):
            if room >= _DIGIT_ROOM / _inches_per_mm(axes):
                x, y = _in_mm(place, mask)
                _write(axes, str(label), (x, y), ha="center", va="center", transform=axes.transData, size=_DIGIT_POINTS)


def draw_comparison(axes: Axes, outcomes: Picture) -> None:
    """Paint the outcomes of a slice (codes of `comparison.compare`) over the image, hatched as in their legend."""
    for outcome in OUTCOMES:
        _draw_region(
            axes, outcomes, outcomes.pixels == outcome.code, outcome.colour, outcome.opacity, hatch=outcome.hatch
        )


def mark_plane(axes: Axes, plane: Plane) -> None:
    """Write into both upper corners of a panel, which a head leaves free, which side of the patient lies there."""
    left, right = PLANE_ENDS[plane]
    _write(axes, left, (0.03, 0.98), ha="left", va="top")
    _write(axes, right, (0.97, 0.98), ha="right", va="top")


def draw_scale(axes: Axes, length: float, inset: float) -> None:
    """Draw a bar of `length` mm and its length into the lower left corner of a framed panel, `inset` mm from it."""
    left, bottom = axes.get_xlim()[0] + inset, axes.get_ylim()[0] - inset
    outline = [withStroke(linewidth=3.5, foreground="black")]
    axes.plot(
        (left, left + length),
        (bottom, bottom),
        color="white",
        linewidth=2,
        solid_capstyle="butt",
        path_effects=outline,
        zorder=_ABOVE,
    )
    middle = (left + length / 2, bottom - 0.4 * inset)
    _write(axes, length_label(length), middle, ha="center", va="bottom", transform=axes.transData)


def _draw_region(
    axes: Axes, grid: Picture, region: NDArray[np.bool_], colour: str, opacity: float, *, hatch: str | None = None
) -> None:
    if not region.any():
        return
    corners = _in_mm(squares(region), grid)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
    area = PathPatch(
        Path(corners.reshape(-1, 2), codes),
        facecolor=(*to_rgb(colour), opacity),
        edgecolor=colour,  # of the hatch only: the squares' own edges have no width
        linewidth=0,
        hatch=hatch,
    )
    axes.add_patch(area)
    edge = LineCollection(list(_in_mm(border(region), grid)), colors=colour, linewidths=1.6, capstyle="projecting")
    axes.add_collection(edge, autolim=False)
    edge.set_clip_path(area)  # each region keeps its border inside, so that neighbours do not hide it


def _in_mm(points: NDArray[np.float64], grid: Picture) -> NDArray[np.float64]:
    width, height = grid.extent
    placed: NDArray[np.float64] = points * (grid.width, grid.height) - (width / 2, height / 2)
    return placed


def _inches_per_mm(axes: Axes) -> float:
    left, right = axes.get_xlim()
    return float(axes.bbox.width / axes.figure.dpi / (right - left))


def _write(axes: Axes, text: str, place: tuple[float, float], **look: Any) -> None:
    outline = [withStroke(linewidth=1.5, foreground="black")]
    look = {"transform": axes.transAxes, "color": "white", "size": _POINTS, "path_effects": outline, **look}
    axes.text(*place, text, zorder=_ABOVE, **look)
