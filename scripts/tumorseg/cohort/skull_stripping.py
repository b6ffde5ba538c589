"""Check that an image is prepared as in BraTS: skull-stripped, with a background of exactly 0."""

from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import (
    ZERO_BACKGROUND,
    Background,
    add_background_in_padding,
    border_voxels,
    find_background,
    quantiles,
)
from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.io.volume import Volume

_SKULL_STRIPPING_ADVICE: Final = (
    "extract the brain and set all voxels outside it to 0: models are trained on brains without skull"
)


def check_background(
    volume: Volume,
    sample: NDArray[Any],
    positions: NDArray[np.intp],
    *,
    low: float,
    nan: bool,
    title: str,
    file: str,
) -> tuple[Background, list[Issue]]:
    """Find the background of an image, and check that the image is skull-stripped.

    Args:
        volume: the image, 3D.
        sample: voxels of the image at `positions` (N,).
        positions: flat indices in Fortran order, (N,) int.
        low: lowest value of the image.
        nan: whether NaN voxels surround the brain.
        title: title of the channel, for messages.
        file: path of the image, for the issues.

    Returns:
        The background, 0 if none is found, and the warnings.
    """
    border_values = border_voxels(volume.array)
    found = find_background(border_values, sample, low, nan=nan)
    if found is None:
        return ZERO_BACKGROUND, [_no_background_warning(title, file, air=looks_like_air(border_values, sample))]
    found = add_background_in_padding(volume.array, sample, found)
    warnings = []
    if found != ZERO_BACKGROUND:
        message = f"the background of {title} is {found}, not 0; voxels of that value are treated as background"
        warnings.append(Issue("background_not_zero", file, message))
    sign = describe_whole_head(volume.array, sample, positions, volume.spacing_mm, found)
    if sign:
        message = f"{title} seems to show a whole head: {sign}; {_SKULL_STRIPPING_ADVICE}"
        warnings.append(Issue("not_skull_stripped", file, message))
    return found, warnings


def _no_background_warning(title: str, file: str, *, air: bool) -> Issue:
    """Return the warning about an image without background at its border; `air` if the border is as dark as air."""
    if air:
        message = f"the border of {title} is dark noise like air around a head, so the skull was probably not stripped"
        return Issue(
            "not_skull_stripped", file, f"{message}; all voxels but 0 count as brain; {_SKULL_STRIPPING_ADVICE}"
        )
    message = f"the border of {title} shows many values and no background; all voxels but 0 count as brain"
    return Issue("no_background", file, f"{message}; {_SKULL_STRIPPING_ADVICE}")


MAX_BRAIN_CM3: Final = 2400
"""Larger than any brain with its fluid; brains of BraTS 2021 had up to 1,800 cm3, a head without air 2,900."""
_MIN_NOISE_FRACTION: Final = 0.3
"""Fraction of the foreground darker than a tenth of the bright voxels above which it includes air. Brains of BraTS 2021
had up to 0.08, raw images 0.47 and more."""
_MAX_AIR_BRIGHTNESS: Final = 0.3
"""Largest brightness of a border of air, on a scale from the image's dark (0) to its bright voxels (1)."""
_LINES_PER_EDGE: Final = 7
"""Lines along each edge of a face: 49 enter from each side."""
_SKULL_DEPTH_MM: Final = 25.0
"""Depth from the surface within which a line has crossed scalp and skull."""
_MAX_GAP_BRIGHTNESS: Final = 0.4
"""A line crosses the skull where its brightness falls below this fraction of the brightness before and after."""
_MIN_CROSSED_FRACTION: Final = 1 / 3
"""Fraction of a side's lines that cross a skull. The third highest of the sides is at most 0.13 in brains, at least
0.56 in heads."""
_MIN_SIDES: Final = 3
_MIN_DEPTH_VOXELS: Final = 6
"""Fewest voxels of a line to decide whether it crosses the skull."""


def looks_like_air(border_values: NDArray[Any], sample: NDArray[Any]) -> bool:
    """Return whether a border without constant background is as dark as the noise of air.

    Args:
        border_values: voxels of the border (N,), from `background.border_voxels`.
        sample: voxels from the whole image (M,).
    """
    dark, bright = quantiles(sample, 0.01, 0.9)
    return bool(np.median(border_values) - dark <= _MAX_AIR_BRIGHTNESS * (bright - dark))


def describe_whole_head(
    volume: NDArray[Any],
    sample: NDArray[Any],
    positions: NDArray[np.intp],
    spacing_mm: tuple[float, ...],
    background: Background,
) -> Message | None:
    """Return the sign that an image shows a whole head and not only the brain.

    Args:
        volume: voxels of the image (X, Y, Z).
        sample: evenly spread voxels of the image (N,).
        positions: flat indices of these voxels in Fortran order, (N,) int.
        spacing_mm: voxel edges.
        background: background of the image.

    Returns:
        The sign as a clause; None if there is none.
    """
    foreground = ~background.mask(sample)
    if not foreground.any():
        return None
    foreground_cm3 = float(np.mean(foreground)) * volume.size * prod(spacing_mm) / 1000
    if foreground_cm3 > MAX_BRAIN_CM3:
        return f"it shows {foreground_cm3:,.0f} cm3, more than a brain has"
    values = sample[foreground].astype(np.float64)
    low, high = quantiles(values, 0.01, 0.9)
    base = _dark_value(low, background)
    if base is None:
        return None
    brightness, bright = values - base, high - base
    if bright <= 0:  # all voxels are equally dark, within the precision of float64
        return None
    if np.mean(brightness < 0.1 * bright) >= _MIN_NOISE_FRACTION:
        return "much of it is as dark as the noise of air"
    surface = 0.25 * bright
    where = np.array(np.unravel_index(positions[foreground][brightness > surface], volume.shape, order="F"))
    sides = _count_skull_sides(volume, where, base, surface, spacing_mm)
    if sides >= _MIN_SIDES:
        return f"there is a dark gap behind a bright shell on {sides} sides, as of skull and scalp"
    return None


def _dark_value(low: float, background: Background) -> float | None:
    """Return the value that counts as dark in a foreground from `low` upwards; None if background lies above `low`."""
    base = max((high for _, high in background.bands if high <= low), default=0.0)
    base = max(base, 0.0) if low >= 0 else base
    return None if low < base else base


def _count_skull_sides(
    volume: NDArray[Any], where: NDArray[np.intp], base: float, surface: float, spacing_mm: tuple[float, ...]
) -> int:
    """Count the sides of the head on which a skull seems to lie.

    Lines run inward from each side. On a side with a skull, many lines cross a dark gap close behind their first bright
    voxel. Few lines have a gap further in.

    Args:
        volume: voxels of the image (X, Y, Z).
        where: indices (3, N) of sampled voxels brighter than `base + surface`.
        base: the dark reference value.
        surface: brightness above `base` at which a line enters the head.
        spacing_mm: voxel edges.

    Returns:
        0 to 6.
    """
    lowest, sizes = where.min(axis=1), np.ptp(where, axis=1) + 1
    grid = [
        np.unique(np.linspace(low + size / 4, low + 3 * size / 4, _LINES_PER_EDGE).astype(np.intp))
        for low, size in zip(lowest, sizes, strict=True)
    ]
    sides = 0
    for axis in range(3):
        if sides + 2 * (3 - axis) < _MIN_SIDES:
            break
        depth = int(min(_SKULL_DEPTH_MM / max(spacing_mm[axis], 1e-3), sizes[axis] // 4))
        if depth < _MIN_DEPTH_VOXELS:
            continue
        index = [np.arange(volume.shape[axis]) if other == axis else grid[other] for other in range(3)]
        part = np.moveaxis(volume[np.ix_(*index)], axis, 0).reshape(volume.shape[axis], -1)
        lines = np.subtract(part, base, dtype=np.float64)
        for inward_lines in (lines, lines[::-1]):
            outside, inside = _gap_fractions(inward_lines, surface, depth)
            sides += outside >= _MIN_CROSSED_FRACTION and inside <= outside / 2
    return sides


def _gap_fractions(lines: NDArray[np.float64], surface: float, depth: int) -> tuple[float, float]:
    """Return the fractions of lines (length, lines) with a gap in their first `depth` voxels, and in the next ones."""
    # A line begins at its first voxel brighter than `surface`. Noise has gaps everywhere, a skull only outside.
    bright = lines > surface
    first = bright.argmax(axis=0)
    (hits,) = np.nonzero(bright[first, np.arange(first.size)])
    if hits.size == 0:
        return 0.0, 0.0
    steps = np.minimum(first[hits] + np.arange(2 * depth)[:, None], lines.shape[0] - 1)
    ahead = lines[steps, hits]
    outside, inside = (_count_lines_with_gap(part) for part in (ahead[:depth], ahead[depth:]))
    return outside / hits.size, inside / hits.size


def _count_lines_with_gap(lines: NDArray[np.float64]) -> int:
    """Count the lines (length, lines) with a gap."""
    before = np.maximum.accumulate(lines)[:-2]
    after = np.maximum.accumulate(lines[::-1])[::-1][2:]
    return int(np.count_nonzero((lines[1:-1] < _MAX_GAP_BRIGHTNESS * np.minimum(before, after)).any(axis=0)))
