"""One panel: an image in true proportion, regions with their exact borders, orientation letters, and a scale bar.

Borders follow the pixel edges and are not smoothed, which would flatter a mask. Pixel (row, column) covers the square
from (column, row) to (column + 1, row + 1).
"""

from math import floor, log10
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label, maximum_position

from tumorseg.plotting.agreement_map import OUTCOMES
from tumorseg.plotting.slices import PLANE_SIDES, Plane, SliceImage
from tumorseg.plotting.style import FigureSettings


def pixel_outlines(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The closed outline of each pixel of a bool (rows, columns) region: (n, 5, 2), points as (x, y)."""
    rows, columns = np.nonzero(region)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=np.float64)
    return np.stack([columns, rows], axis=-1)[:, None, :] + corners


def border_edges(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The pixel edges between a bool (rows, columns) region and what is outside: (n, 2, 2), two points (x, y) each."""
    padded = np.pad(region, 1)
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    horizontal = np.stack([np.stack([columns, rows], -1), np.stack([columns + 1, rows], -1)], axis=1)
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    vertical = np.stack([np.stack([columns, rows], -1), np.stack([columns, rows + 1], -1)], axis=1)
    return np.concatenate([horizontal, vertical]).astype(np.float64)


def deepest_points(
    region: NDArray[np.bool_], pixel_size: tuple[float, float]
) -> list[tuple[NDArray[np.float64], float]]:
    """For each piece of a bool (rows, columns) region the middle (x, y) of its deepest pixel, and its depth.

    pixel: height and width of a pixel. depth: from there to the middle of the nearest pixel outside, in the same unit.
    Pieces hang together by edges. Of equally deep pixels it is the first.
    """
    depths = distance_transform_edt(np.pad(region, 1), sampling=pixel_size)[1:-1, 1:-1]
    components, count = label(region)
    places = maximum_position(depths, components, range(1, count + 1))
    return [(np.array([column + 0.5, row + 0.5]), float(depths[row, column])) for row, column in places]


def scale_bar_length(limit_mm: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50, … mm, and of their tenths and so on, that is no longer than `limit` mm."""
    power = 10.0 ** floor(log10(limit_mm))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= limit_mm)


def format_length(length_mm: float) -> str:
    """`length` mm in words: in centimetres from one centimetre on."""
    return f"{length_mm / 10:g} cm" if length_mm >= 10 else f"{length_mm:g} mm"


_FONT_SIZE: Final = 7.5
_DIGIT_FONT_SIZE: Final = 6.5
_DIGIT_RADIUS_INCHES: Final = 0.05
"""Inches that a label's digit takes around its middle."""
_MARK_ZORDER: Final = 5
"""Where marks lie: above images, regions and their borders."""


def frame_panel(axes: Axes, width_mm: float, height_mm: float) -> None:
    """Make `axes` a black panel of `width` by `height` mm, with (0, 0) at its centre and y downwards."""
    axes.set(
        xlim=(-width_mm / 2, width_mm / 2),
        ylim=(height_mm / 2, -height_mm / 2),
        xticks=[],
        yticks=[],
        facecolor="black",
    )
    axes.spines[:].set_visible(False)


def draw_image(axes: Axes, picture: SliceImage) -> None:
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


def draw_labels(axes: Axes, mask: SliceImage, settings: FigureSettings) -> None:
    """Paint the labels of a slice over the image, with its digit in each piece into which it fits.

    The digits tell the labels apart without colour.
    """
    for label_value, colour in settings.colours.items():
        region = mask.pixels == label_value
        _draw_region(axes, mask, region, colour, settings.opacity)
        for place, room in deepest_points(region, (mask.height, mask.width)):
            if room >= _DIGIT_RADIUS_INCHES / _inches_per_mm(axes):
                x, y = _to_mm(place, mask)
                _draw_text(
                    axes,
                    str(label_value),
                    (x, y),
                    ha="center",
                    va="center",
                    transform=axes.transData,
                    size=_DIGIT_FONT_SIZE,
                )


def draw_outcomes(axes: Axes, outcomes: SliceImage) -> None:
    """Paint the outcomes of a slice (codes of `comparison.compare`) over the image, hatched as in their legend."""
    for outcome in OUTCOMES:
        _draw_region(
            axes, outcomes, outcomes.pixels == outcome.code, outcome.colour, outcome.opacity, hatch=outcome.hatch
        )


def draw_orientation(axes: Axes, plane: Plane) -> None:
    """Write into both upper corners of a panel, which a head leaves free, which side of the patient lies there."""
    left, right = PLANE_SIDES[plane]
    _draw_text(axes, left, (0.03, 0.98), ha="left", va="top")
    _draw_text(axes, right, (0.97, 0.98), ha="right", va="top")


def draw_scale_bar(axes: Axes, length_mm: float, inset_mm: float) -> None:
    """Draw a bar of `length` mm and its length into the lower left corner of a framed panel, `inset` mm from it."""
    left, bottom = axes.get_xlim()[0] + inset_mm, axes.get_ylim()[0] - inset_mm
    outline = [withStroke(linewidth=3.5, foreground="black")]
    axes.plot(
        (left, left + length_mm),
        (bottom, bottom),
        color="white",
        linewidth=2,
        solid_capstyle="butt",
        path_effects=outline,
        zorder=_MARK_ZORDER,
    )
    middle = (left + length_mm / 2, bottom - 0.4 * inset_mm)
    _draw_text(axes, format_length(length_mm), middle, ha="center", va="bottom", transform=axes.transData)


def _draw_region(
    axes: Axes, grid: SliceImage, region: NDArray[np.bool_], colour: str, opacity: float, *, hatch: str | None = None
) -> None:
    if not region.any():
        return
    corners = _to_mm(pixel_outlines(region), grid)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
    area = PathPatch(
        Path(corners.reshape(-1, 2), codes),
        facecolor=(*to_rgb(colour), opacity),
        edgecolor=colour,  # of the hatch only: the squares' own edges have no width
        linewidth=0,
        hatch=hatch,
    )
    axes.add_patch(area)
    edge = LineCollection(
        list(_to_mm(border_edges(region), grid)), colors=colour, linewidths=1.6, capstyle="projecting"
    )
    axes.add_collection(edge, autolim=False)
    edge.set_clip_path(area)  # each region keeps its border inside, so that neighbours do not hide it


def _to_mm(points: NDArray[np.float64], grid: SliceImage) -> NDArray[np.float64]:
    width, height = grid.extent
    placed: NDArray[np.float64] = points * (grid.width, grid.height) - (width / 2, height / 2)
    return placed


def _inches_per_mm(axes: Axes) -> float:
    left, right = axes.get_xlim()
    return float(axes.bbox.width / axes.figure.dpi / (right - left))


def _draw_text(axes: Axes, text: str, place: tuple[float, float], **text_options: Any) -> None:
    outline = [withStroke(linewidth=1.5, foreground="black")]
    text_options = {
        "transform": axes.transAxes,
        "color": "white",
        "size": _FONT_SIZE,
        "path_effects": outline,
        **text_options,
    }
    axes.text(*place, text, zorder=_MARK_ZORDER, **text_options)
