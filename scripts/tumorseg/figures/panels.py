"""Drawing of one panel: the image in true proportion, regions painted over it with their exact borders, marks."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from tumorseg.figures.comparison import OUTCOMES
from tumorseg.figures.outlines import border, squares
from tumorseg.figures.slices import PLANE_ENDS, Picture, Plane
from tumorseg.figures.style import FigureSettings
from tumorseg.labels import TUMOUR_LABELS


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
    """Paint the labels of a slice (inside labels) over the image."""
    for label in TUMOUR_LABELS:
        _draw_region(axes, mask, mask.pixels == label, settings.colours[label], settings.opacity)


def draw_comparison(axes: Axes, outcomes: Picture) -> None:
    """Paint the outcomes of a slice (codes of `comparison.compare`) over the image, hatched as in their legend."""
    for outcome in OUTCOMES:
        _draw_region(
            axes, outcomes, outcomes.pixels == outcome.code, outcome.colour, outcome.opacity, hatch=outcome.hatch
        )


def mark_plane(axes: Axes, plane: Plane) -> None:
    """Write at both edges of a panel which side of the patient lies there."""
    for text, x in zip(PLANE_ENDS[plane], (0.03, 0.97), strict=True):
        _write(axes, text, x, 0.5, {"ha": "left" if x < 0.5 else "right", "va": "center"})


def mark(axes: Axes, text: str) -> None:
    """Write `text` into the upper left corner of a panel."""
    _write(axes, text, 0.03, 0.97, {"ha": "left", "va": "top"})


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


def _write(axes: Axes, text: str, x: float, y: float, place: dict[str, Any]) -> None:
    outline = [withStroke(linewidth=1.5, foreground="black")]
    axes.text(x, y, text, transform=axes.transAxes, color="white", fontsize=7.5, path_effects=outline, **place)
