"""Thumbnails of a case for a table: a strip of square tiles, encoded as WebP."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from tumorseg.cohort.preview import PREVIEW_SIZE
from tumorseg.orientation import reorient, reoriented_spacing_mm
from tumorseg.plotting.agreement_map import DIMMED_BRIGHTNESS, OUTCOMES, outcome_map
from tumorseg.plotting.slices import (
    SliceImage,
    extract_slice,
    grey_values,
    slice_selection_mask,
    slices_with_most_tumour,
)
from tumorseg.preprocessing.crop import cropped_affine
from tumorseg.preprocessing.store import NormalisedCase
from tumorseg.task import Task

_OPACITY: Final = 0.65
_WEBP_QUALITY: Final = 75
"""Of WebP, 0 to 100: a strip of a real case takes about 3.7 KB; a tenth less at four times the cost of `_METHOD`."""
_WEBP_METHOD: Final = 2


def fit_to_tile(
    image: NDArray[np.uint8], tile_pixels: int, *, pixel_size: tuple[float, float] = (1, 1), smooth: bool = True
) -> NDArray[np.uint8]:
    """An (H, W) image in the middle of a black tile of `side` pixels, as large as it can be.

    pixel: height and width of one of the image's pixels, in one unit.
    """
    extent = [count * size for count, size in zip(image.shape, pixel_size, strict=True)]
    height, width = (max(1, round(tile_pixels * length / max(extent))) for length in extent)
    method = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    tile = np.zeros((tile_pixels, tile_pixels), np.uint8)
    top, left = (tile_pixels - height) // 2, (tile_pixels - width) // 2
    tile[top : top + height, left : left + width] = np.asarray(Image.fromarray(image).resize((width, height), method))
    return tile


def grey_to_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey (H, W) tile as (H, W, 3)."""
    return np.repeat(image[:, :, None], 3, axis=2)


def overlay_labels(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], colours: Mapping[int, str]
) -> NDArray[np.uint8]:
    """A grey (H, W) tile as (H, W, 3), with `colours` (as `#rrggbb`) laid over the pixels that have their code."""
    result = grey_to_rgb(image)
    for code, colour in colours.items():
        where = labels == code
        mixed = _OPACITY * np.array(ImageColor.getrgb(colour)[:3]) + (1 - _OPACITY) * result[where]
        result[where] = mixed.round()
    return result


def encode_strip(tiles: Sequence[NDArray[np.uint8]]) -> bytes:
    """Tiles (H, W, 3) side by side as WebP; equal tiles give equal bytes."""
    content = io.BytesIO()
    picture = Image.fromarray(np.concatenate(tiles, axis=1))
    picture.save(content, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD, use_sharp_yuv=True)
    return content.getvalue()


TILE_PIXELS: Final = 96
"""Pixels of a tile along each side."""
_SMALL_TILE_PIXELS: Final = 64
_MANY_CASES: Final = 400
"""Cases above which tiles are small: one page holds the strips of all cases, and has to stay below 25 MB."""
_OUTCOME_COLOURS: Final = {outcome.code: outcome.colour for outcome in OUTCOMES}


def strip_tile_names(task: Task) -> tuple[str, ...]:
    """Return what the tiles of a strip show, from left to right."""
    return (*(task.channels[channel].title for channel in task.main_channels), "reference", "prediction", "comparison")


def tile_pixels_for(cases: int) -> int:
    """Pixels of a tile along each side where one page holds the strips of so many cases."""
    return TILE_PIXELS if cases <= _MANY_CASES else _SMALL_TILE_PIXELS


def case_strip(
    case: NormalisedCase,
    prediction: NDArray[np.uint8],
    colours: Mapping[int, str],
    *,
    task: Task,
    tile_pixels: int = TILE_PIXELS,
) -> bytes:
    """The main channels, and over the last of them the reference, the prediction, and their comparison, as a WebP file.

    All in the axial slice with most tumour in the reference, or in the prediction where the reference has none.
    prediction: uint8 of the shape of the case's mask, labels of the task. colours: of each label, as `#rrggbb`.
    side: pixels of a tile along each side.
    """
    affine = cropped_affine(case.origin)
    reference, predicted = reorient(case.mask, affine), reorient(prediction, affine)
    index = slices_with_most_tumour(slice_selection_mask(reference, predicted, task=task, shape=reference.shape))[
        "axial"
    ]

    def axial(volume: NDArray[np.generic]) -> SliceImage:
        return extract_slice(volume, reoriented_spacing_mm(affine), "axial", index)

    reference_slice, prediction_slice = axial(reference), axial(predicted)
    pixel = (reference_slice.height, reference_slice.width)
    images = np.stack([axial(reorient(channel, affine)).pixels for channel in case.image])
    brain = (images != 0).any(axis=0)
    channel_tiles = [
        fit_to_tile((255 * grey_values(images[channel], brain)).round().astype(np.uint8), tile_pixels, pixel_size=pixel)
        for channel in task.main_channels
    ]
    background = channel_tiles[-1]
    reference_tile, prediction_tile, outcomes = (
        fit_to_tile(codes, tile_pixels, pixel_size=pixel, smooth=False)
        for codes in (
            reference_slice.pixels,
            prediction_slice.pixels,
            outcome_map(reference_slice.pixels, prediction_slice.pixels),
        )
    )
    dimmed = (DIMMED_BRIGHTNESS * background).astype(np.uint8)
    return encode_strip(
        [
            *map(grey_to_rgb, channel_tiles),
            overlay_labels(background, reference_tile, colours),
            overlay_labels(background, prediction_tile, colours),
            overlay_labels(dimmed, outcomes, _OUTCOME_COLOURS),
        ]
    )


def preview_tile_names(task: Task) -> list[str]:
    """What the tiles of a strip show, from left to right. Each is `SIDE` pixels wide and high."""
    return [*task.channel_titles.values(), "mask"]


def preview_data_url(preview: NDArray[np.uint8], colours: Mapping[int, str], task: Task) -> str:
    """A preview as a data URL: the channels, then the labels over one of them. Equal previews give equal text.

    preview: (channels + 1, H, W), see `cohort.preview.preview`. colours: of each label, as `#rrggbb`.
    """
    *images, labels = preview
    tiles = [fit_to_tile(image, PREVIEW_SIZE) for image in images]
    mask = overlay_labels(tiles[task.display_channel], fit_to_tile(labels, PREVIEW_SIZE, smooth=False), colours)
    content = encode_strip([*map(grey_to_rgb, tiles), mask])
    return "data:image/webp;base64," + base64.b64encode(content).decode()
