"""Parts that several charts share: rows of panels, wrapped names, a logarithmic volume axis, readable text colours."""

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

T = TypeVar("T")


def split_into_rows(items: Sequence[T], max_columns: int) -> Iterator[Sequence[T]]:
    """Yield the items in as few rows of at most `most` as they need, all but the last of equal length."""
    length = ceil(len(items) / ceil(len(items) / max_columns))
    for first in range(0, len(items), length):
        yield items[first : first + length]


def wrap_name(name: str, max_characters: int) -> str:
    """A name in lines of at most so many characters; longer words stay whole."""
    return "\n".join(wrap(name, max(1, max_characters), break_long_words=False, break_on_hyphens=False))


_DECADE: Final = 10.0
_VOLUME_MARGIN: Final = 1.25
_FEW_DECADES: Final = 2.0
"""Up to so many, 2 and 5 are marked between the powers of ten."""


def volume_limits(volumes_ml: NDArray[np.float64]) -> tuple[float, float]:
    """Ends of an axis of volumes, all above 0, around their range: a decade apart at least."""
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
    """White or `INK`: whichever has more contrast with `colour`, as WCAG 2.2 defines contrast and luminance."""
    background = _luminance(colour) + _FLARE
    return "white" if (_WHITE + _FLARE) / background > background / (_luminance(TEXT_COLOUR) + _FLARE) else TEXT_COLOUR


def _luminance(colour: ColorType) -> float:
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ _LUMINANCE_WEIGHTS)
