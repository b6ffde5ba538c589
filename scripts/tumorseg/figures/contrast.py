"""Text that can be read on any colour."""

from typing import Final

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.typing import ColorType

from tumorseg.figures.style import INK

_FLARE: Final = 0.05
_WHITE: Final = 1.0
_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)


def ink_on(colour: ColorType) -> str:
    """White or `INK`: whichever has more contrast with `colour`, as WCAG 2.2 defines contrast and luminance."""
    under = _luminance(colour) + _FLARE
    return "white" if (_WHITE + _FLARE) / under > under / (_luminance(INK) + _FLARE) else INK


def _luminance(colour: ColorType) -> float:
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ _WEIGHTS)
