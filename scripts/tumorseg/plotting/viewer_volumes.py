"""Encode the volumes of a case for the viewer: few grey levels, as gzipped NIfTI in base64."""

import base64
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.io.files import write_text
from tumorseg.io.nifti import nifti_bytes
from tumorseg.plotting.case_view import CaseView
from tumorseg.plotting.shown_channel import has_channel
from tumorseg.plotting.slices import Plane, grey_values, slices_with_most_errors, slices_with_most_tumour
from tumorseg.task import Task

MAX_CASE_BYTES: Final = 4_200_000
"""Maximal size of a case in bytes of base64: three cases and NiiVue leave 10 of 25 MB to the rest of a report."""
_GREY_LEVELS: Final = (64, 48, 40, 32, 24)
"""Numbers of grey levels to try. Noise does not compress: all 256 levels would take 1.5 times the space of 64."""


@dataclass(frozen=True)
class Encoding:
    """How coarsely a case is encoded.

    Attributes:
        levels: number of grey levels.
        strides: along each axis, one of this many voxels is kept.
    """

    levels: int
    strides: tuple[int, int, int]


def encoded_bytes(case: Mapping[str, Any]) -> int:
    """Return the size of the volumes of an encoded case in bytes of base64."""
    return sum(map(len, case["volumes"].values()))


def max_bytes_per_case(cases: int) -> int:
    """Return the maximal size of each case in bytes of base64: all together take no more than three full-size cases."""
    return min(MAX_CASE_BYTES, 3 * MAX_CASE_BYTES // cases)


def encode_case(case: CaseView, task: Task, max_bytes: int = MAX_CASE_BYTES) -> dict[str, Any]:
    """Return a case as JSON; equal cases give equal content.

    Args:
        case: the case.
        task: defines the channels, labels and regions.
        max_bytes: maximal size of all volumes together in bytes of base64; grey levels, then voxels, are dropped until
            they fit.

    Returns:
        Content for JSON. `volumes`: `.nii.gz` files in base64, all on one grid: each channel as uint8 grey values from
        0 (background only) to 255, then `reference` and `prediction` as uint8 labels. `start`: the point in mm where
        the slices with the most tumour meet. `levels` and `strides`: see `Encoding`.
    """
    masks = {which: case.mask(which) for which in ("reference", "prediction")}
    images = dict(zip(task.channel_names, case.image, strict=True))
    return {"dice": case.dice, **_encode_view(case, images, masks, max_bytes)}


MARKED: Final = "marked"
"""Name of the volume that `encode_masks` shows in place of an image."""


def encode_masks(
    case: str,
    title: str,
    *,
    reference: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    marked: NDArray[np.float32],
    affine: NDArray[np.float64],
    spacing_mm: tuple[float, float, float],
) -> dict[str, Any]:
    """Return two masks of a case without images as JSON, with all voxels; equal arguments give equal content.

    Args:
        case: name of the case.
        title: text in the list of cases.
        reference: labels of the task, uint8 (L, P, I).
        prediction: labels of the task, uint8, of the same shape.
        marked: how many of the masks label each voxel, as grey values from 0 to 1, float32 of the same shape.
        affine: voxel indices to patient coordinates in mm, (4, 4).
        spacing_mm: edges of a voxel.

    Returns:
        The content of `encode_case` without `dice`; the only image is `MARKED`. `start` is the point where the slices
        with the most differing voxels meet.
    """
    slices = slices_with_most_errors(reference, prediction, slices_with_most_tumour(marked > 0))
    masks = {"reference": reference, "prediction": prediction}
    return {
        "case": case,
        "title": title,
        **_encode({MARKED: marked}, masks, affine, spacing_mm, slices=slices, max_bytes=math.inf),
    }


def write_viewer_script(path: Path, case: CaseView, task: Task) -> None:
    """Write the prediction and the images of a case as a script that a page loads on demand.

    A page that was opened from disk may load scripts but may not fetch other files. The script adds the content to
    `window.viewerCases`, by the name of the case: see `encode_case`, without reference, Dice and the channels that the
    case lacks.

    Args:
        path: file to write.
        case: the case.
        task: defines the channels, labels and regions.
    """
    images = {
        name: image for name, image in zip(task.channel_names, case.image, strict=True) if has_channel(image[None], 0)
    }
    content = _encode_view(case, images, {"prediction": case.mask("prediction")}, MAX_CASE_BYTES)
    name, content_json = (json.dumps(value, sort_keys=True) for value in (case.case, content))
    write_text(path, f"(window.viewerCases ??= {{}})[{name}] = {content_json};\n")


def _encode_view(
    case: CaseView, images: dict[str, NDArray[np.float16]], masks: dict[str, NDArray[np.uint8]], max_bytes: int
) -> dict[str, Any]:
    """Return images and masks of a case as JSON, by name, see `encode_case`."""
    greys = {name: grey_values(image, case.brain) for name, image in images.items()}
    volumes = _encode(greys, masks, case.affine, case.spacing_mm, slices=case.slices, max_bytes=max_bytes)
    return {"case": case.case, "title": case.title, **volumes}


def _encode(
    greys: dict[str, NDArray[np.float32]],
    masks: dict[str, NDArray[np.uint8]],
    affine: NDArray[np.float64],
    spacing_mm: tuple[float, float, float],
    *,
    slices: Mapping[Plane, int],
    max_bytes: float,
) -> dict[str, Any]:
    """Return the volumes of a case as JSON, see `encode_case`, with images as grey values from 0 to 1."""
    for encoding in _encodings(spacing_mm):
        volumes = {name: _quantise(grey, encoding.levels) for name, grey in greys.items()} | masks
        encoded = {name: _encode_volume(volume, affine, encoding.strides) for name, volume in volumes.items()}
        if sum(map(len, encoded.values())) <= max_bytes:
            break
    start = affine @ [slices["sagittal"], slices["coronal"], slices["axial"], 1]
    return {
        "spacing": spacing_mm,
        "start": [float(coordinate) for coordinate in start[:3]],
        "levels": encoding.levels,
        "strides": encoding.strides,
        "volumes": encoded,
    }


def _encodings(spacing_mm: tuple[float, float, float]) -> Iterator[Encoding]:
    """Yield encodings from fine to coarse: first fewer grey levels, then every other voxel along the finest axes."""
    strides = np.ones(3, int)
    while True:
        for levels in _GREY_LEVELS:
            yield Encoding(levels, tuple(strides.tolist()))
        sizes = strides * spacing_mm
        strides = np.where(sizes < 1.5 * sizes.min(), 2 * strides, strides)


def _quantise(image: NDArray[np.float32], levels: int) -> NDArray[np.uint8]:
    """Return grey values from 0 to 1 as uint8 with this many levels; `grey_values` keeps the brain above level 0."""
    quantised: NDArray[np.uint8] = np.round(np.round(image * (levels - 1)) * (255 / (levels - 1))).astype(np.uint8)
    return quantised


def _encode_volume(volume: NDArray[np.uint8], affine: NDArray[np.float64], strides: tuple[int, int, int]) -> str:
    x, y, z = strides
    kept = np.ascontiguousarray(volume[::x, ::y, ::z])
    return base64.b64encode(nifti_bytes(kept, affine @ np.diag([x, y, z, 1]), level=9)).decode()
