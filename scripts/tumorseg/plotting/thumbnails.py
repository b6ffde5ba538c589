"""Thumbnails of cases for tables: a strip of square tiles, encoded as WebP."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from tumorseg.orientation import reorient, reoriented_spacing_mm
from tumorseg.plotting.agreement_map import DIMMED_BRIGHTNESS, OUTCOMES, outcome_map
from tumorseg.plotting.shown_channel import shown_channel
from tumorseg.plotting.slices import (
    SliceImage,
    extract_slice,
    grey_values,
    slice_selection_mask,
    slices_with_most_errors,
    slices_with_most_tumour,
)
from tumorseg.preprocessing.crop import cropped_affine
from tumorseg.preprocessing.store import NormalisedCase
from tumorseg.task import Task

_OPACITY: Final = 0.65
_WEBP_QUALITY: Final = 75
"""0 to 100; a strip of a real case takes about 3.7 KB."""
_WEBP_METHOD: Final = 2
"""0 (fast) to 6 (small); slower ones save a tenth of the size at four times the cost."""


def fit_to_tile(
    image: NDArray[np.uint8], tile_pixels: int, *, pixel_size: tuple[float, float] = (1, 1), smooth: bool = True
) -> NDArray[np.uint8]:
    """Return an image scaled to fit a black square tile, centred.

    Args:
        image: grey values or labels, uint8 (H, W).
        tile_pixels: width and height of the tile.
        pixel_size: height and width of a pixel of the image, in any unit.
        smooth: whether to interpolate; False for labels.

    Returns:
        The tile, uint8 (tile_pixels, tile_pixels).
    """
    extent = [count * size for count, size in zip(image.shape, pixel_size, strict=True)]
    height, width = (max(1, round(tile_pixels * length / max(extent))) for length in extent)
    method = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    tile = np.zeros((tile_pixels, tile_pixels), np.uint8)
    top, left = (tile_pixels - height) // 2, (tile_pixels - width) // 2
    tile[top : top + height, left : left + width] = np.asarray(Image.fromarray(image).resize((width, height), method))
    return tile


def grey_to_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey tile as RGB, uint8 (H, W, 3).

    Args:
        image: grey values, uint8 (H, W).
    """
    return np.repeat(image[:, :, None], 3, axis=2)


def overlay_labels(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], colours: Mapping[int, str]
) -> NDArray[np.uint8]:
    """Return a grey tile as RGB with labels painted over it.

    Args:
        image: grey values, uint8 (H, W).
        labels: labels or other codes, uint8 (H, W).
        colours: colour of each code as `#rrggbb`.

    Returns:
        The tile, uint8 (H, W, 3).
    """
    result = grey_to_rgb(image)
    for code, colour in colours.items():
        painted = labels == code
        mixed = _OPACITY * np.array(ImageColor.getrgb(colour)[:3]) + (1 - _OPACITY) * result[painted]
        result[painted] = mixed.round()
    return result


def encode_strip(tiles: Sequence[NDArray[np.uint8]]) -> bytes:
    """Return tiles side by side as a WebP file; equal tiles give equal bytes.

    Args:
        tiles: RGB tiles of equal height, uint8 (H, W, 3).
    """
    content = io.BytesIO()
    picture = Image.fromarray(np.concatenate(tiles, axis=1))
    picture.save(content, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD, use_sharp_yuv=True)
    return content.getvalue()


TILE_PIXELS: Final = 96
"""Width and height of a tile."""
_SMALL_TILE_PIXELS: Final = 64
_MANY_CASES: Final = 400
"""With more cases, tiles are small: one page holds the strips of all cases and must stay below 25 MB."""
_OUTCOME_COLOURS: Final = {outcome.code: outcome.colour for outcome in OUTCOMES}


def strip_tile_names(task: Task) -> tuple[str, ...]:
    """Return the headings of the tiles of `case_strip`, from left to right."""
    return (*(task.channels[channel].title for channel in task.main_channels), "reference", "prediction", "comparison")


def tile_pixels_for(cases: int) -> int:
    """Return the width and height of tiles on a page with the strips of this many cases."""
    return TILE_PIXELS if cases <= _MANY_CASES else _SMALL_TILE_PIXELS


def case_strip(
    case: NormalisedCase,
    prediction: NDArray[np.uint8],
    colours: Mapping[int, str],
    *,
    task: Task,
    tile_pixels: int = TILE_PIXELS,
) -> bytes:
    """Return a strip of a case as a WebP file: main channels, reference, prediction and their comparison.

    The masks lie over the last of the main channels, or over the first channel of a case that lacks it. All tiles show
    the axial slice in which the labels of most voxels differ, or the one with the most tumour if none differs.

    Args:
        case: the case.
        prediction: predicted labels of the task, uint8, of the shape of the case's mask.
        colours: colour of each label as `#rrggbb`.
        task: defines the channels, labels and regions.
        tile_pixels: width and height of a tile.

    Returns:
        The bytes of the file.
    """
    affine = cropped_affine(case.origin)
    reference, predicted = reorient(case.mask, affine), reorient(prediction, affine)
    tumour = slice_selection_mask(reference, predicted, task=task, shape=reference.shape)
    index = slices_with_most_errors(reference, predicted, slices_with_most_tumour(tumour))["axial"]

    def axial(volume: NDArray[np.generic]) -> SliceImage:
        return extract_slice(volume, reoriented_spacing_mm(affine), "axial", index)

    reference_slice, prediction_slice = axial(reference), axial(predicted)
    pixel = (reference_slice.pixel_height_mm, reference_slice.pixel_width_mm)
    images = np.stack([axial(reorient(channel, affine)).pixels for channel in case.image])
    brain = (images != 0).any(axis=0)

    def grey_tile(channel: int) -> NDArray[np.uint8]:
        grey = (255 * grey_values(images[channel], brain)).round().astype(np.uint8)
        return fit_to_tile(grey, tile_pixels, pixel_size=pixel)

    background = grey_tile(shown_channel(case.image, task.main_channels[-1]))
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
            *(grey_to_rgb(grey_tile(channel)) for channel in task.main_channels),
            overlay_labels(background, reference_tile, colours),
            overlay_labels(background, prediction_tile, colours),
            overlay_labels(dimmed, outcomes, _OUTCOME_COLOURS),
        ]
    )


def preview_tile_names(task: Task) -> list[str]:
    """Return the headings of the tiles of `preview_data_url`, from left to right."""
    return [*task.channel_titles.values(), "mask"]


_PREVIEW_PIXELS: Final = 192
_SMALL_PREVIEW_PIXELS: Final = 96


def preview_pixels_for(cases: int) -> int:
    """Return the width and height of tiles on a page with the previews of this many cases."""
    return _PREVIEW_PIXELS if cases <= _MANY_CASES else _SMALL_PREVIEW_PIXELS


def preview_data_url(
    preview: NDArray[np.uint8], colours: Mapping[int, str], task: Task, tile_pixels: int = _PREVIEW_PIXELS
) -> str:
    """Return a preview as a data URL: the channels, then the mask over the display channel.

    Args:
        preview: the channels and the mask, uint8 (channels + 1, H, W), see `cohort.preview.make_preview`.
        colours: colour of each label as `#rrggbb`.
        task: defines the channels, labels and regions.
        tile_pixels: width and height of a tile.

    Returns:
        The URL; equal previews give equal text.
    """
    *images, labels = preview
    tiles = [fit_to_tile(image, tile_pixels) for image in images]
    mask = overlay_labels(tiles[task.display_channel], fit_to_tile(labels, tile_pixels, smooth=False), colours)
    content = encode_strip([*map(grey_to_rgb, tiles), mask])
    return "data:image/webp;base64," + base64.b64encode(content).decode()
