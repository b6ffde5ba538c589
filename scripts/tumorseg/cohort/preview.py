"""Make a thumbnail of a case as found on disk, in which errors are visible at a glance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load_file, save

from tumorseg.cohort.background import Background
from tumorseg.io.files import write_bytes
from tumorseg.io.volume_limits import chunks
from tumorseg.orientation import axial_axis, reorient

PREVIEW_SIZE: Final = 192
"""Most pixels along each side of a preview: a slice of a brain with all its voxels of 1 mm."""
_DARKEST: Final = 30
_PREFIX: Final = "case "  # safetensors reserves some names, and a case may have any name


def slice_with_most_voxels(where: NDArray[Any], shape: tuple[int, ...], affine: ArrayLike) -> int:
    """Return the index of the axial slice with most of the voxels at `where`; the middle slice if there are none.

    Args:
        where: flat positions in Fortran order, (N,) int.
        shape: shape of the volume (X, Y, Z).
        affine: voxel to millimetres, (4, 4).

    Returns:
        The index along the axial axis.
    """
    axis = axial_axis(affine)
    if where.size == 0:
        return shape[axis] // 2
    stride, length = int(np.prod(shape[:axis], dtype=np.intp)), shape[axis]
    counts = sum(np.bincount(where[part] // stride % length, minlength=length) for part in chunks(where.size))
    return int(np.argmax(counts))


def axial_slice(volume: NDArray[Any], affine: ArrayLike, index: int) -> NDArray[Any]:
    """Return a copy of an axial slice.

    Args:
        volume: voxels (X, Y, Z), any dtype.
        affine: voxel to millimetres, (4, 4).
        index: index of the slice along the axial axis.

    Returns:
        The slice (X, Y, Z), with an axial axis of length 1.
    """
    return volume[(*(slice(None),) * axial_axis(affine), slice(index, index + 1))].copy()


def axial_mask_slice(
    where: NDArray[Any], labels: NDArray[np.uint8], shape: tuple[int, ...], affine: ArrayLike, index: int
) -> NDArray[np.uint8]:
    """Return an axial slice of a mask that is given by its marked voxels.

    Args:
        where: flat positions of the marked voxels in Fortran order, (N,) int; all other voxels are 0.
        labels: labels at these positions, (N,) uint8.
        shape: shape of the mask (X, Y, Z).
        affine: voxel to millimetres, (4, 4).
        index: index of the slice along the axial axis.

    Returns:
        The slice, uint8, with an axial axis of length 1, as from `axial_slice`.
    """
    axis = axial_axis(affine)
    stride, length = int(np.prod(shape[:axis], dtype=np.intp)), shape[axis]
    slice_shape = (*shape[:axis], 1, *shape[axis + 1 :])
    mask_slice = np.zeros(slice_shape, np.uint8)
    for part in chunks(where.size):
        inside = where[part] // stride % length == index
        indices = list(np.unravel_index(where[part][inside], shape, order="F"))
        indices[axis] = np.zeros_like(indices[axis])
        mask_slice[tuple(indices)] = labels[part][inside]
    return mask_slice


def make_preview(
    images: Mapping[str, NDArray[Any]],
    backgrounds: Mapping[str, Background],
    mask: NDArray[Any] | None,
    affine: ArrayLike,
    channels: Sequence[str],
) -> NDArray[np.uint8]:
    """Return a thumbnail of a case: the images as grey values, and the mask.

    The patient's right is at the left, the front at the top. The slice is cropped to the foreground and subsampled,
    without smoothing, to at most `PREVIEW_SIZE` pixels. Percentile 1 of the foreground becomes dark grey, 99 white.

    Args:
        images: axial slice of each channel, all of one shape (see `axial_slice`), finite except in the background.
        backgrounds: background of each image.
        mask: slice of canonical labels, uint8, of the same shape; None without a valid mask.
        affine: voxel to millimetres, (4, 4).
        channels: the task's channels in their order; a channel without an image is all 0.

    Returns:
        uint8 (channels + 1, H, W); the labels come last.
    """
    *pixels, labels = _orient_for_display([*images.values(), *([] if mask is None else [mask])], affine)
    if mask is None:
        pixels, labels = [*pixels, labels], np.zeros_like(labels)
    brains = [~backgrounds[modality].mask(values) for modality, values in zip(images, pixels, strict=True)]
    foreground = np.logical_or.reduce(brains)
    rows, columns = (_extent(foreground.any(axis=axis)) for axis in (1, 0))
    step = -(-max(rows.stop - rows.start, columns.stop - columns.start) // PREVIEW_SIZE)
    window = (slice(rows.start, rows.stop, step), slice(columns.start, columns.stop, step))
    shown_labels = labels[window].astype(np.uint8)
    blank = np.zeros(shown_labels.shape, np.uint8)
    grey = {
        modality: _to_grey_values(values[window], brain[window])
        for modality, values, brain in zip(images, pixels, brains, strict=True)
    }
    return np.stack([*(grey.get(channel, blank) for channel in channels), shown_labels])


def write_previews(path: Path, previews: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write the previews of a shard. Equal previews give equal bytes.

    Args:
        path: safetensors file to write.
        previews: preview of each case, uint8 (channels + 1, H, W), as from `make_preview`.
    """
    # safetensors writes an array in its memory order, but reads it in C order.
    contents = {_PREFIX + case: np.ascontiguousarray(picture) for case, picture in previews.items()}
    write_bytes(path, save(contents))


def read_previews(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Read the previews that `write_previews` wrote, by case."""
    return {name.removeprefix(_PREFIX): picture for name, picture in load_file(path).items()}


def _orient_for_display(slices: Sequence[NDArray[Any]], affine: ArrayLike) -> NDArray[Any]:
    """Return axial slices as they are displayed, (slices, rows, columns)."""
    pixels: NDArray[Any] = reorient(np.stack(slices, axis=3), affine)[:, :, 0].T
    return pixels


def _extent(shown: NDArray[np.bool_]) -> slice:
    where = np.flatnonzero(shown)
    return slice(int(where[0]), int(where[-1]) + 1) if where.size else slice(0, shown.size)


def _to_grey_values(values: NDArray[Any], foreground: NDArray[np.bool_]) -> NDArray[np.uint8]:
    if not foreground.any():
        return np.zeros(values.shape, np.uint8)
    low, high = (float(bound) for bound in np.percentile(values[foreground], (1, 99)))
    with np.errstate(all="ignore"):  # extreme values overflow
        shade = np.nan_to_num((values.astype(np.float64) - low) / max(high - low, 1e-300))
    return np.where(foreground, _DARKEST + (255 - _DARKEST) * np.clip(shade, 0, 1), 0).astype(np.uint8)
