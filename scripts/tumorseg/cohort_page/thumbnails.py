"""Small pictures of a case, side by side, in a form that an HTML page can hold."""

import base64
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.preview import SIDE
from tumorseg.labels import MODALITIES
from tumorseg.pages.tiles import coloured, fitted, painted, strip

TILES: Final = (*MODALITIES, "mask")
WIDTH: Final = SIDE * len(TILES)
"""Of a strip, in pixels; it is `SIDE` high."""


def strip_url(preview: NDArray[np.uint8], colours: Mapping[int, str]) -> str:
    """A preview as a data URL: the modalities, then FLAIR with the labels over it. Equal previews give equal text.

    preview: (5, H, W), see `cohort.preview.preview`. colours: of each inside label, as `#rrggbb`.
    """
    *images, labels = preview
    tiles = [fitted(image, SIDE) for image in images]
    mask = painted(tiles[-1], fitted(labels, SIDE, smooth=False), colours)
    content = strip([*map(coloured, tiles), mask])
    return "data:image/webp;base64," + base64.b64encode(content).decode()
