"""Encode the volumes of a case for the viewer: few grey levels, gzipped NIfTI, base64."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.io.nifti import nifti_bytes
from tumorseg.plotting.case_view import CaseView
from tumorseg.plotting.slices import grey_values
from tumorseg.task import Task

MAX_CASE_BYTES: Final = 4_200_000
"""Bytes of base64 that a case may take: three cases and NiiVue leave 10 of 25 MB to the rest of a report."""
_GREY_LEVELS: Final = (64, 48, 40, 32, 24)
"""Steps of grey, from the finest: noise does not compress, and all 256 take half as much space again as 64."""


@dataclass(frozen=True)
class Encoding:
    """How coarsely a case is written. levels: steps of grey. strides: every so many voxels are kept along each axis."""

    levels: int
    strides: tuple[int, int, int]


def max_bytes_per_case(cases: int) -> int:
    """Bytes of base64 that each of so many cases may take: together no more than three at their finest."""
    return min(MAX_CASE_BYTES, 3 * MAX_CASE_BYTES // cases)


def encode_case(case: CaseView, task: Task, max_bytes: int = MAX_CASE_BYTES) -> dict[str, Any]:
    """A case as JSON, its volumes within `budget` bytes of base64; equal cases give equal content.

    `volumes`: by channel, uint8 grey from 0 (background only) to 255, then `reference` and `prediction`, uint8 labels,
    all on one grid, as base64 of `.nii.gz`. `start`: millimetres of the point where the slices with most tumour meet.
    `levels` and `strides` as in `Encoding`.
    """
    images = [grey_values(modality, case.brain) for modality in case.image]
    masks = {which: case.mask(which) for which in ("reference", "prediction")}
    for encoding in _encodings(case.spacing):
        steps = (_quantise(image, encoding.levels) for image in images)
        volumes = dict(zip(task.channel_names, steps, strict=True)) | masks
        written = {name: _encode_volume(volume, case.affine, encoding.strides) for name, volume in volumes.items()}
        if sum(map(len, written.values())) <= max_bytes:
            break
    start = case.affine @ [case.slices["sagittal"], case.slices["coronal"], case.slices["axial"], 1]
    return {
        "case": case.case,
        "title": case.title,
        "dice": case.dice,
        "spacing": case.spacing,
        "start": [float(coordinate) for coordinate in start[:3]],
        "levels": encoding.levels,
        "strides": encoding.strides,
        "volumes": written,
    }


def _encodings(spacing: tuple[float, float, float]) -> Iterator[Encoding]:
    """From fine to coarse: first fewer steps of grey, then half the voxels along the axes that have the smallest."""
    strides = np.ones(3, int)
    while True:
        for levels in _GREY_LEVELS:
            yield Encoding(levels, tuple(strides.tolist()))
        sizes = strides * spacing
        strides = np.where(sizes < 1.5 * sizes.min(), 2 * strides, strides)


def _quantise(image: NDArray[np.float32], levels: int) -> NDArray[np.uint8]:
    """Grey values from 0 to 1 in so many steps from 0 to 255. `grey` keeps the brain above the first, so 0 stays 0."""
    steps: NDArray[np.uint8] = np.round(np.round(image * (levels - 1)) * (255 / (levels - 1))).astype(np.uint8)
    return steps


def _encode_volume(volume: NDArray[np.uint8], affine: NDArray[np.float64], strides: tuple[int, int, int]) -> str:
    x, y, z = strides
    kept = np.ascontiguousarray(volume[::x, ::y, ::z])
    return base64.b64encode(nifti_bytes(kept, affine @ np.diag([x, y, z, 1]), level=9)).decode()
