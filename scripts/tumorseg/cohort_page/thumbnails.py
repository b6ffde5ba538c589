"""Small pictures of a case, side by side, in a form that an HTML page can hold."""

import base64
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.preview import SIDE
from tumorseg.pages.tiles import coloured, fitted, painted, strip
from tumorseg.task import Task


def tile_names(task: Task) -> list[str]:
    """What the tiles of a strip show, from left to right. Each is `SIDE` pixels wide and high."""
    return [*task.channel_titles.values(), "mask"]


def strip_url(preview: NDArray[np.uint8], colours: Mapping[int, str], task: Task) -> str:
    """A preview as a data URL: the channels, then the labels over one of them. Equal previews give equal text.

    preview: (channels + 1, H, W), see `cohort.preview.preview`. colours: of each label, as `#rrggbb`.
    """
    *images, labels = preview
    tiles = [fitted(image, SIDE) for image in images]
    mask = painted(tiles[task.display_channel], fitted(labels, SIDE, smooth=False), colours)
    content = strip([*map(coloured, tiles), mask])
    return "data:image/webp;base64," + base64.b64encode(content).decode()
