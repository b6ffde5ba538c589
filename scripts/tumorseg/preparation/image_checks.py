"""Check the images of a patient after conversion: voxels, number of slices, field of view."""

from collections.abc import Mapping
from itertools import combinations
from typing import Final

import numpy as np

from tumorseg.cohort.validation_result import Issue
from tumorseg.formatting import format_count
from tumorseg.io.nifti_header import not_3d_message
from tumorseg.io.volume import Volume
from tumorseg.preparation.channel_choice import MIN_SLICES, SHEET_REMEDY
from tumorseg.preparation.series_checks import MIN_EXTENT_MM

MAX_EXTENT_MM: Final = 450.0
"""Images that are longer than this in a direction are larger than the field of a scanner, or have wrong voxel edges."""


def image_problems(volume: Volume, label: str, case: str) -> list[Issue]:
    """Return the problems of an image.

    Args:
        volume: the image.
        label: how messages name it.
        case: name of the patient.
    """
    if len(volume.shape) != 3:
        return [Issue("wrong_shape", case, f"{label}: {not_3d_message(volume.shape)}")]
    if min(volume.shape) < MIN_SLICES:
        message = f"{label}: it has {format_count(min(volume.shape), 'slice')}, but {MIN_SLICES} are needed"
        return [Issue("too_few_slices", case, f"{message}; {SHEET_REMEDY}")]
    finite = np.isfinite(volume.array)
    if not finite.all():
        count = format_count(int(finite.size - np.count_nonzero(finite)), "voxel")
        return [Issue("not_finite", case, f"{label}: {count} are infinite or not a number; convert the image again")]
    if volume.array.min() == volume.array.max():
        return [Issue("constant_image", case, f"{label}: all voxels have the same value; {SHEET_REMEDY}")]
    return []


def image_warnings(volume: Volume, label: str, case: str) -> list[Issue]:
    """Return the warnings about a valid image: orientation and field of view."""
    found = []
    if volume.orientation_warning is not None:
        warning = volume.orientation_warning
        found.append(Issue(warning.code, case, f"{label}: {warning.message}"))
    extents_mm = [side * edge for side, edge in zip(volume.shape, volume.spacing_mm, strict=True)]
    size = " x ".join(f"{extent:.0f}" for extent in extents_mm)
    if min(extents_mm) < MIN_EXTENT_MM:
        message = (
            f"{label}: its field of view is {size} mm, too small for a whole brain; tumour outside of it is missed"
        )
        found.append(Issue("small_field_of_view", case, message))
    if max(extents_mm) > MAX_EXTENT_MM:
        message = (
            f"{label}: its field of view is {size} mm, larger than a head; look whether the voxel edges are correct"
        )
        found.append(Issue("large_field_of_view", case, message))
    return found


def equal_image_problems(volumes: Mapping[str, Volume], case: str) -> list[Issue]:
    """Return a problem for each pair of channels with equal voxels."""
    return [
        Issue("equal_voxels", case, f"{one} and {other} have the same voxels, so one is a copy; {SHEET_REMEDY}")
        for one, other in combinations(volumes, 2)
        if volumes[one].shape == volumes[other].shape and np.array_equal(volumes[one].array, volumes[other].array)
    ]
