"""A logarithmic axis of volumes in ml."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

_DECADE: Final = 10.0
_MARGIN: Final = 1.25
_FEW_DECADES: Final = 2.0
"""Up to so many, 2 and 5 are marked between the powers of ten."""


def volume_limits(volumes: NDArray[np.float64]) -> tuple[float, float]:
    """Ends of an axis of volumes, all above 0, around their range: a decade apart at least."""
    low, high = float(volumes.min()) / _MARGIN, float(volumes.max()) * _MARGIN
    widen = max(1.0, float(np.sqrt(_DECADE * low / high)))
    return low / widen, high * widen


def set_volume_axis(axes: Axes, limits: tuple[float, float]) -> None:
    """Make the x axis logarithmic, with plain numbers at its ticks."""
    low, high = limits
    axes.set(xscale="log", xlim=limits)
    subs = (1.0, 2.0, 5.0) if np.log10(high / low) <= _FEW_DECADES else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
