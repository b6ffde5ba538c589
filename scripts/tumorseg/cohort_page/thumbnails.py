"""Small pictures of a case, side by side, in a form that an HTML page can hold."""

import base64
import io
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from tumorseg.cohort.preview import SIDE
from tumorseg.labels import MODALITIES

TILES: Final = (*MODALITIES, "mask")
WIDTH: Final = SIDE * len(TILES)
"""Of a strip, in pixels; it is `SIDE` high."""
_OPACITY: Final = 0.65
_QUALITY: Final = 75
"""Of WebP, 0 to 100: a strip of a real case takes about 3.7 KB; a tenth less at four times the cost of `_METHOD`."""
_METHOD: Final = 2


def strip_url(preview: NDArray[np.uint8], colours: Mapping[int, str]) -> str:
    """A preview as a data URL: the modalities, then FLAIR with the labels over it. Equal previews give equal text.

    preview: (5, H, W), see `cohort.preview.preview`. colours: of each inside label, as `#rrggbb`.
    """
    *images, labels = preview
    tiles = [np.repeat(_fitted(image)[:, :, None], 3, axis=2) for image in images]
    picture = np.concatenate([*tiles, _painted(tiles[-1], _fitted(labels, smooth=False), colours)], axis=1)
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "WEBP", quality=_QUALITY, method=_METHOD, use_sharp_yuv=True)
    return "data:image/webp;base64," + base64.b64encode(content.getvalue()).decode()


def _fitted(image: NDArray[np.uint8], *, smooth: bool = True) -> NDArray[np.uint8]:
    """An (H, W) image in the middle of a black tile of `SIDE` pixels, as large as it can be."""
    height, width = (max(1, round(SIDE * side / max(image.shape))) for side in image.shape)
    method = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    tile = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    tile[top : top + height, left : left + width] = np.asarray(Image.fromarray(image).resize((width, height), method))
    return tile


def _painted(image: NDArray[np.uint8], labels: NDArray[np.uint8], colours: Mapping[int, str]) -> NDArray[np.uint8]:
    painted = image.copy()
    for label, colour in colours.items():
        where = labels == label
        mixed = _OPACITY * np.array(ImageColor.getrgb(colour)[:3]) + (1 - _OPACITY) * image[where]
        painted[where] = mixed.round()
    return painted
