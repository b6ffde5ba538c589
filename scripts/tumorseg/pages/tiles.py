"""Small square pictures of slices, side by side, and the WebP in which pages hold them."""

import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

_OPACITY: Final = 0.65
_QUALITY: Final = 75
"""Of WebP, 0 to 100: a strip of a real case takes about 3.7 KB; a tenth less at four times the cost of `_METHOD`."""
_METHOD: Final = 2


def fitted(
    image: NDArray[np.uint8], side: int, *, pixel: tuple[float, float] = (1, 1), smooth: bool = True
) -> NDArray[np.uint8]:
    """An (H, W) image in the middle of a black tile of `side` pixels, as large as it can be.

    pixel: height and width of one of the image's pixels, in one unit.
    """
    extent = [count * size for count, size in zip(image.shape, pixel, strict=True)]
    height, width = (max(1, round(side * length / max(extent))) for length in extent)
    method = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    tile = np.zeros((side, side), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    tile[top : top + height, left : left + width] = np.asarray(Image.fromarray(image).resize((width, height), method))
    return tile


def coloured(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey (H, W) tile as (H, W, 3)."""
    return np.repeat(image[:, :, None], 3, axis=2)


def painted(image: NDArray[np.uint8], codes: NDArray[np.uint8], colours: Mapping[int, str]) -> NDArray[np.uint8]:
    """A grey (H, W) tile as (H, W, 3), with `colours` (as `#rrggbb`) laid over the pixels that have their code."""
    result = coloured(image)
    for code, colour in colours.items():
        where = codes == code
        mixed = _OPACITY * np.array(ImageColor.getrgb(colour)[:3]) + (1 - _OPACITY) * result[where]
        result[where] = mixed.round()
    return result


def strip(tiles: Sequence[NDArray[np.uint8]]) -> bytes:
    """Tiles (H, W, 3) side by side as WebP; equal tiles give equal bytes."""
    content = io.BytesIO()
    picture = Image.fromarray(np.concatenate(tiles, axis=1))
    picture.save(content, "WEBP", quality=_QUALITY, method=_METHOD, use_sharp_yuv=True)
    return content.getvalue()
