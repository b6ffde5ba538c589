"""Helpers that several charts share: rows of panels, wrapped names, a logarithmic volume axis, text colours."""

from collections.abc import Iterator, Sequence
from math import ceil
from textwrap import wrap
from typing import Final, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.typing import ColorType
from numpy.typing import NDArray

from tumorseg.plotting.style import TEXT_COLOUR
from tumorseg.task import Task

T = TypeVar("T")
FEW_CASES: Final = 10
"""With fewer cases, figures show a point for each case, and no boxes, intervals or correlations."""


def split_into_rows(items: Sequence[T], max_columns: int) -> Iterator[Sequence[T]]:
    """Yield the items in as few rows as possible, all of equal length except the last."""
    length = ceil(len(items) / ceil(len(items) / max_columns))
    for first in range(0, len(items), length):
        yield items[first : first + length]


def distinct_structures(task: Task) -> dict[str, str]:
    """Return the title of each structure, by name, without labels that equal a region and have the same scores."""
    titles = task.structure_titles
    regions = set(task.region_labels.values())
    return {
        name: titles[name]
        for name, labels in task.structures.items()
        if name in task.region_labels or labels not in regions
    }


def wrap_name(name: str, max_characters: int) -> str:
    """Return a name wrapped to lines of at most `max_characters`; longer words are not broken."""
    return "\n".join(wrap(name, max(1, max_characters), break_long_words=False, break_on_hyphens=False))


_DECADE: Final = 10.0
_VOLUME_MARGIN: Final = 1.25
_FEW_DECADES: Final = 2.0
"""Up to this many decades, ticks at 2 and 5 are added between the powers of ten."""


def volume_limits(volumes_ml: NDArray[np.float64]) -> tuple[float, float]:
    """Return the limits of a logarithmic axis: the range of the volumes with a margin, at least a decade.

    Args:
        volumes_ml: volumes above 0, float64 (n,), at least one.
    """
    low, high = float(volumes_ml.min()) / _VOLUME_MARGIN, float(volumes_ml.max()) * _VOLUME_MARGIN
    widen = max(1.0, float(np.sqrt(_DECADE * low / high)))
    return low / widen, high * widen


def set_volume_axis(axes: Axes, limits_ml: tuple[float, float]) -> None:
    """Make the x axis logarithmic, with plain numbers at its ticks."""
    low, high = limits_ml
    axes.set(xscale="log", xlim=limits_ml)
    subs = (1.0, 2.0, 5.0) if np.log10(high / low) <= _FEW_DECADES else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


_FLARE: Final = 0.05
_WHITE: Final = 1.0
_LUMINANCE_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)


def contrasting_text_colour(colour: ColorType) -> str:
    """Return white or `TEXT_COLOUR`, whichever contrasts more with `colour` as WCAG 2.2 defines contrast."""
    background = _luminance(colour) + _FLARE
    return "white" if (_WHITE + _FLARE) / background > background / (_luminance(TEXT_COLOUR) + _FLARE) else TEXT_COLOUR


def _luminance(colour: ColorType) -> float:
    """Return the relative luminance of a colour, 0 to 1, as WCAG 2.2 defines it."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ _LUMINANCE_WEIGHTS)
