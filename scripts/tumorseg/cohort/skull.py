"""Does an image show a whole head, where BraTS shows a brain without skull, scalp and air?"""

from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import Background, quantiles
from tumorseg.errors import Message

LARGEST_BRAIN_CM3: Final = 2400
"""More than any brain with its fluid; those of BraTS 2021 had up to 1,800 cm3, a head without its air 2,900."""
_NOISE: Final = 0.3
"""Part of what is no background that is darker than a tenth of the bright voxels, from which it is air. Brains of
BraTS 2021 had up to 0.08, raw images 0.47 and more."""
_AIR: Final = 0.3
"""Brightness of the border, between the image's dark and bright voxels, up to which it is air and not tissue."""
_LINES: Final = 7
"""Lines along each edge of a face: 49 go in from each side."""
_SKULL_MM: Final = 25.0
"""Depth from the surface within which a line has crossed scalp and skull."""
_DARK: Final = 0.4
"""A line has crossed the skull where its brightness falls below this part of the brightness before and after."""
_CROSSED: Final = 1 / 3
"""Part of the lines of a side. At the third of the sides, 0.13 at most in brains, 0.56 and more in heads."""
_SIDES: Final = 3
_LEAST_DEPTH: Final = 6
"""Voxels of a line that are needed to judge it."""


def looks_like_air(faces: NDArray[Any], sample: NDArray[Any]) -> bool:
    """Whether a border without a constant background is dark, as the noise of air is. See `find_background`."""
    dark, bright = quantiles(sample, 0.01, 0.9)
    return bool(np.median(faces) - dark <= _AIR * (bright - dark))


def sign_of_head(
    volume: NDArray[Any],
    sample: NDArray[Any],
    positions: NDArray[np.intp],
    spacing: tuple[float, ...],
    found: Background,
) -> Message | None:
    """What in an image says that it shows a whole head, in words; None where nothing does.

    volume: (X, Y, Z). sample: some of its voxels, evenly spread, at flat `positions` (Fortran order). spacing: voxel
    edges in millimetres. found: its background.
    """
    shown = ~found.mask(sample)
    if not shown.any():
        return None
    cm3 = float(np.mean(shown)) * volume.size * prod(spacing) / 1000
    if cm3 > LARGEST_BRAIN_CM3:
        return f"it shows {cm3:,.0f} cm3, more than a brain has"
    values = sample[shown].astype(np.float64)
    low, high = quantiles(values, 0.01, 0.9)
    base = _base(low, found)
    if base is None:
        return None
    brightness, bright = values - base, high - base
    if bright <= 0:  # all is as dark as can be, as far as float64 tells
        return None
    if np.mean(brightness < 0.1 * bright) >= _NOISE:
        return "much of it is as dark as the noise of air"
    surface = 0.25 * bright
    where = np.array(np.unravel_index(positions[shown][brightness > surface], volume.shape, order="F"))
    sides = _crossed_sides(volume, where, base, surface, spacing)
    if sides >= _SIDES:
        return f"there is a dark gap behind a bright shell on {sides} sides, as of skull and scalp"
    return None


def _base(low: float, found: Background) -> float | None:
    """The value that is dark where values that are no background begin at `low`.

    None where they lie on both sides of the background, so that nothing says what is dark.
    """
    base = max((high for _, high in found.bands if high <= low), default=0.0)
    base = max(base, 0.0) if low >= 0 else base
    return None if low < base else base


def _crossed_sides(
    volume: NDArray[Any], where: NDArray[np.intp], base: float, surface: float, spacing: tuple[float, ...]
) -> int:
    """Sides from which lines inwards mostly cross a dark gap behind a bright shell, and no such gaps further inside.

    where: positions (3, voxels) of sampled voxels that are brighter than `surface` above `base`.
    """
    lowest, sizes = where.min(axis=1), np.ptp(where, axis=1) + 1
    grid = [
        np.unique(np.linspace(low + size / 4, low + 3 * size / 4, _LINES).astype(np.intp))
        for low, size in zip(lowest, sizes, strict=True)
    ]
    sides = 0
    for axis in range(3):
        if sides + 2 * (3 - axis) < _SIDES:
            break
        depth = int(min(_SKULL_MM / max(spacing[axis], 1e-3), sizes[axis] // 4))
        if depth < _LEAST_DEPTH:
            continue
        index = [np.arange(volume.shape[axis]) if other == axis else grid[other] for other in range(3)]
        part = np.moveaxis(volume[np.ix_(*index)], axis, 0).reshape(volume.shape[axis], -1)
        lines = np.subtract(part, base, dtype=np.float64)
        for way in (lines, lines[::-1]):
            outside, inside = _gaps(way, surface, depth)
            sides += outside >= _CROSSED and inside <= outside / 2
    return sides


def _gaps(lines: NDArray[np.float64], surface: float, depth: int) -> tuple[float, float]:
    """Part of the lines (length, lines) with a gap in their first `depth` voxels, and in the next.

    A line begins at its first voxel brighter than `surface`. Noise has gaps everywhere, a skull only outside.
    """
    bright = lines > surface
    first = bright.argmax(axis=0)
    (hits,) = np.nonzero(bright[first, np.arange(first.size)])
    if hits.size == 0:
        return 0.0, 0.0
    steps = np.minimum(first[hits] + np.arange(2 * depth)[:, None], lines.shape[0] - 1)
    ahead = lines[steps, hits]
    outside, inside = (_with_gap(part) for part in (ahead[:depth], ahead[depth:]))
    return outside / hits.size, inside / hits.size


def _with_gap(lines: NDArray[np.float64]) -> int:
    """How many of the lines have a gap."""
    before = np.maximum.accumulate(lines)[:-2]
    after = np.maximum.accumulate(lines[::-1])[::-1][2:]
    return int(np.count_nonzero((lines[1:-1] < _DARK * np.minimum(before, after)).any(axis=0)))
