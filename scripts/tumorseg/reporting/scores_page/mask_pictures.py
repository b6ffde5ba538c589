"""Draw a slice of a mask as SVG: areas in the colours of the labels, and the borders of the reference as lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MARGIN_MM: Final = 8.0
_SMALLEST_MM: Final = 60.0
"""Smallest edge of a picture, so that a few voxels are not blown up."""
SCALE_BAR_MM: Final = 20


@dataclass(frozen=True)
class Window:
    """The part of a slice that pictures show: rows from `top` to `bottom`, columns from `left` to `right`."""

    top: int
    bottom: int
    left: int
    right: int
    pixel_mm: tuple[float, float]

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height in mm."""
        return (self.right - self.left) * self.pixel_mm[1], (self.bottom - self.top) * self.pixel_mm[0]

    def cut(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part of a slice that is shown.

        Args:
            mask: labels, uint8 (rows, columns).
        """
        return mask[self.top : self.bottom, self.left : self.right]


def common_window(masks: Sequence[NDArray[np.uint8]], pixel_mm: tuple[float, float]) -> Window:
    """Return the window around everything that is not background in any of some slices, with a margin.

    Args:
        masks: labels, uint8 (rows, columns), all of one shape.
        pixel_mm: height and width of a pixel.
    """
    shown = np.any([mask > 0 for mask in masks], axis=0)
    limits = []
    for axis in (0, 1):
        found = np.flatnonzero(shown.any(axis=1 - axis))
        length = shown.shape[axis]
        first, last = (int(found[0]), int(found[-1]) + 1) if len(found) else (length // 2, length // 2)
        missing_mm = max(2 * _MARGIN_MM, _SMALLEST_MM - (last - first) * pixel_mm[axis])
        margin = int(np.ceil(missing_mm / 2 / pixel_mm[axis]))
        limits.append((max(0, first - margin), min(length, last + margin)))
    (top, bottom), (left, right) = limits
    return Window(top, bottom, left, right, pixel_mm)


def mask_picture(
    mask: NDArray[np.uint8], window: Window, colours: Mapping[int, str], *, outlined: NDArray[np.uint8], name: str
) -> str:
    """Return a picture as an SVG element.

    Args:
        mask: labels to fill, uint8 (rows, columns).
        window: the part to show.
        colours: colour of each label, as `#rrggbb`.
        outlined: labels whose borders are drawn as lines, uint8 of the same shape.
        name: text for readers who do not see the picture. It needs no escaping.
    """
    shown = window.cut(mask)
    height_mm, width_mm = window.pixel_mm
    width, height = window.size_mm
    areas = "".join(
        f'<path fill="{colour}" d="{area}"/>'
        for label, colour in colours.items()
        if (area := _area_path(shown == label))
    )
    lines = _border_path(window.cut(outlined))
    bar = f"M3 {height - 3:.4g}h{SCALE_BAR_MM}"
    return (
        f'<svg class="mask" viewBox="0 0 {width:.5g} {height:.5g}" role="img" aria-label="{_escape(name)}">'
        f'<g transform="scale({width_mm:.5g} {height_mm:.5g})" shape-rendering="crispEdges">{areas}</g>'
        f'<g transform="scale({width_mm:.5g} {height_mm:.5g})"><path class="border" d="{lines}"/></g>'
        f'<path class="bar" d="{bar}"/></svg>'
    )


def _area_path(region: NDArray[np.bool_]) -> str:
    """Return the pixels of a region as a path: a rectangle for each run of pixels in a row."""
    return "".join(f"M{left} {row}h{right - left}v1H{left}z" for row, left, right in _runs(region))


def _border_path(labels: NDArray[np.uint8]) -> str:
    """Return the borders between labels as a path of horizontal and vertical lines along the edges of pixels."""
    padded = np.pad(labels, 1)
    across = padded[1:, 1:-1] != padded[:-1, 1:-1]
    down = padded[1:-1, 1:] != padded[1:-1, :-1]
    horizontal = (f"M{left} {row}h{right - left}" for row, left, right in _runs(across))
    vertical = (f"M{column} {top}v{bottom - top}" for column, top, bottom in _runs(down.T))
    return "".join((*horizontal, *vertical))


def _runs(rows: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield the row, start and end of each run of True along the second axis."""
    steps = np.diff(np.pad(rows, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    for (row, start), (_, end) in zip(starts.tolist(), ends.tolist(), strict=True):
        yield row, start, end


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
