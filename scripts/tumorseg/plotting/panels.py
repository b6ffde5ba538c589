"""Draw a panel: an image in true proportions, regions with exact borders, orientation letters, and a scale bar.

Borders follow pixel edges; smoothing them would make a mask look better than it is. Pixel (row, column) covers the
square from (column, row) to (column + 1, row + 1).
"""

from collections.abc import Mapping
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


def pixel_outlines(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the closed outline of each pixel of a region.

    Args:
        region: bool (rows, columns).

    Returns:
        The corners of the n pixels as points (x, y), the first one again at the end, float64 (n, 5, 2).
    """
    rows, columns = np.nonzero(region)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=np.float64)
    return np.stack([columns, rows], axis=-1)[:, None, :] + corners


def border_edges(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the pixel edges along the border of a region.

    Args:
        region: bool (rows, columns).

    Returns:
        The two ends (x, y) of each edge, float64 (edges, 2, 2).
    """
    padded = np.pad(region, 1)
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    horizontal = np.stack([np.stack([columns, rows], -1), np.stack([columns + 1, rows], -1)], axis=1)
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    vertical = np.stack([np.stack([columns, rows], -1), np.stack([columns, rows + 1], -1)], axis=1)
    return np.concatenate([horizontal, vertical]).astype(np.float64)


def border_loops(region: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the border of a region as closed lines along pixel edges, so that dashes run on around corners.

    Two pixels that share only a corner have separate lines.

    Args:
        region: bool (rows, columns).

    Returns:
        For each line its corners (x, y), the first one again at the end, float64 (n, 2).
    """
    padded = np.pad(region, 1)
    next_corners: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # Each edge runs with the region on its right. Its ends, from the row and the column of its pixel:
    sides = {(-1, 0): ((0, 0), (0, 1)), (0, 1): ((0, 1), (1, 1)), (1, 0): ((1, 1), (1, 0)), (0, -1): ((1, 0), (0, 0))}
    for (down, right), (start, end) in sides.items():
        neighbours = padded[1 + down : len(padded) - 1 + down, 1 + right : padded.shape[1] - 1 + right]
        for row, column in zip(*(axis.tolist() for axis in np.nonzero(region & ~neighbours)), strict=True):
            next_corners.setdefault((column + start[1], row + start[0]), []).append((column + end[1], row + end[0]))
    loops = []
    while next_corners:
        corner = first = next(iter(next_corners))
        loop, direction = [first], (0, 0)
        while len(loop) == 1 or corner != first:
            step = _sharpest_right(corner, direction, next_corners[corner])
            next_corners[corner].remove(step)
            if not next_corners[corner]:
                del next_corners[corner]
            direction, corner = (step[0] - corner[0], step[1] - corner[1]), step
            loop.append(corner)
        loops.append(np.array(loop, np.float64))
    return loops


def _sharpest_right(
    corner: tuple[int, int], direction: tuple[int, int], choices: list[tuple[int, int]]
) -> tuple[int, int]:
    """Return the next corner to the right of the direction; y points downwards."""
    x, y = corner
    return max(choices, key=lambda step: direction[0] * (step[1] - y) - direction[1] * (step[0] - x))


def deepest_points(
    region: NDArray[np.bool_], pixel_size: tuple[float, float]
) -> list[tuple[NDArray[np.float64], float]]:
    """Return the deepest point of each connected component of a region, and its depth.

    Components are connected by pixel edges. Of equally deep pixels, the first counts.

    Args:
        region: bool (rows, columns).
        pixel_size: height and width of a pixel.

    Returns:
        For each component the centre (x, y) of its deepest pixel, in pixels, and the distance from there to the centre
        of the nearest pixel outside the region, in the unit of `pixel_size`.
    """
    depths = distance_transform_edt(np.pad(region, 1), sampling=pixel_size)[1:-1, 1:-1]
    components, count = label(region)
    deepest = maximum_position(depths, components, range(1, count + 1))
    return [(np.array([column + 0.5, row + 0.5]), float(depths[row, column])) for row, column in deepest]


def scale_bar_length(limit_mm: float) -> float:
    """Return the longest of …, 0.5, 1, 2, 5, 10, 20, 50, … mm that does not exceed the limit."""
    power = 10.0 ** floor(log10(limit_mm))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= limit_mm)


def format_length(length_mm: float) -> str:
    """Return a length as text: in centimetres from one centimetre up, below that in millimetres."""
    return f"{length_mm / 10:g} cm" if length_mm >= 10 else f"{length_mm:g} mm"


_FONT_SIZE: Final = 7.5
_DIGIT_FONT_SIZE: Final = 6.5
_DIGIT_RADIUS_INCHES: Final = 0.05
"""Radius of the space that a label's digit needs."""
_EDGE_POINTS: Final = 0.8
_DARK_EDGE_POINTS: Final = 1.2
"""Widths of the line inside the border of a region, and of the dark line below it, which shows on bright images."""
_MARK_ZORDER: Final = 5
"""Drawing order of marks: above images, regions and their borders."""


def frame_panel(axes: Axes, width_mm: float, height_mm: float) -> None:
    """Turn axes into a black panel in millimetres, with (0, 0) at its centre and y downwards.

    Args:
        axes: axes of the panel.
        width_mm: length of the x axis.
        height_mm: length of the y axis.
    """
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
    width, height = picture.extent_mm
    axes.imshow(
        picture.pixels,
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(-width / 2, width / 2, height / 2, -height / 2),
        interpolation="bilinear",
        aspect="auto",  # the frame is in mm already, and wider than the picture if another case is wider
    )


def draw_labels(axes: Axes, mask: SliceImage, colours: Mapping[int, str]) -> None:
    """Draw the outlines of labels over the image, with the label's digit in each component that is large enough.

    The digits distinguish the labels without colour. An outline lies inside its region, beside those of its neighbours.

    Args:
        axes: a framed panel, see `frame_panel`.
        mask: slice of canonical labels.
        colours: colour of each label to draw, by its value.
    """
    for label_value, colour in colours.items():
        region = mask.pixels == label_value
        _draw_region(axes, mask, region, colour, 0.0)
        for point, depth_mm in deepest_points(region, (mask.pixel_height_mm, mask.pixel_width_mm)):
            if depth_mm >= _DIGIT_RADIUS_INCHES / _inches_per_mm(axes):
                x, y = _to_mm(point, mask)
                _draw_text(
                    axes,
                    str(label_value),
                    (x, y),
                    ha="center",
                    va="center",
                    transform=axes.transData,
                    size=_DIGIT_FONT_SIZE,
                )


def draw_outline(axes: Axes, region: SliceImage, line_style: Mapping[str, Any]) -> None:
    """Draw the border of a region as lines, for example dashed ones, with a dark edge that shows on any image.

    Args:
        axes: a framed panel, see `frame_panel`.
        region: slice of a region, bool.
        line_style: properties of the lines.
    """
    for loop in border_loops(region.pixels):
        x, y = _to_mm(loop, region).T
        axes.plot(x, y, scalex=False, scaley=False, solid_joinstyle="miter", dash_joinstyle="miter", **line_style)


def draw_outcomes(axes: Axes, outcomes: SliceImage) -> None:
    """Draw the outcomes of a slice (codes of `agreement_map.outcome_map`) over the image, hatched as in the legend."""
    for outcome in OUTCOMES:
        _draw_region(
            axes, outcomes, outcomes.pixels == outcome.code, outcome.colour, outcome.opacity, hatch=outcome.hatch
        )


def draw_orientation(axes: Axes, plane: Plane) -> None:
    """Write the side of the patient into both upper corners of a panel, which a head leaves free."""
    left, right = PLANE_SIDES[plane]
    _draw_text(axes, left, (0.03, 0.98), ha="left", va="top")
    _draw_text(axes, right, (0.97, 0.98), ha="right", va="top")


def draw_scale_bar(axes: Axes, length_mm: float, inset_mm: float) -> None:
    """Draw a scale bar with its length into the lower left corner of a panel.

    Args:
        axes: a framed panel, see `frame_panel`.
        length_mm: length of the bar.
        inset_mm: distance from the edges of the panel.
    """
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
        edgecolor=colour,  # of the hatch only: the edges of the squares have no width
        linewidth=0,
        hatch=hatch,
    )
    axes.add_patch(area)
    edges = list(_to_mm(border_edges(region), grid))
    # Half of each line is outside the region, and clipped.
    lines = [(2 * _EDGE_POINTS, colour)]
    if not opacity:
        lines.insert(0, (2 * _DARK_EDGE_POINTS, "black"))
    for width, line_colour in lines:
        edge = LineCollection(edges, colors=line_colour, linewidths=width, capstyle="projecting")
        axes.add_collection(edge, autolim=False)
        edge.set_clip_path(area)  # keeps the border inside its region: a neighbour must not cover it


def _to_mm(points: NDArray[np.float64], grid: SliceImage) -> NDArray[np.float64]:
    """Return points in pixels (..., 2) as millimetres from the centre of the slice."""
    width, height = grid.extent_mm
    points_mm: NDArray[np.float64] = points * (grid.pixel_width_mm, grid.pixel_height_mm) - (width / 2, height / 2)
    return points_mm


def _inches_per_mm(axes: Axes) -> float:
    left, right = axes.get_xlim()
    return float(axes.bbox.width / axes.figure.dpi / (right - left))


def _draw_text(axes: Axes, text: str, position: tuple[float, float], **text_options: Any) -> None:
    outline = [withStroke(linewidth=1.5, foreground="black")]
    text_options = {
        "transform": axes.transAxes,
        "color": "white",
        "size": _FONT_SIZE,
        "path_effects": outline,
        **text_options,
    }
    axes.text(*position, text, zorder=_MARK_ZORDER, **text_options)
