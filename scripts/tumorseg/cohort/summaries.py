"""Summarise images and masks, so that only one volume at a time is in memory."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort import image_checks
from tumorseg.cohort.background import ZERO_BACKGROUND, Background, non_finite_voxels
from tumorseg.cohort.mask_checks import NonzeroVoxels, canonical_labels, label_problem, read_labels
from tumorseg.cohort.mask_grid import OrientedGrid, move_to_grid
from tumorseg.cohort.other_task import PostContrastSample, sample_post_contrast
from tumorseg.cohort.preview import axial_slice, slice_with_most_voxels
from tumorseg.cohort.skull_stripping import check_background
from tumorseg.cohort.validation_result import Issue
from tumorseg.io.volume import Volume
from tumorseg.io.volume_limits import CACHED_CHUNK_SIZE, chunks
from tumorseg.orientation import axial_axis
from tumorseg.task import Task
from tumorseg.task.conventions import detect_convention


@dataclass(frozen=True, eq=False)
class MaskSummary:
    """Summary of a 3D mask.

    Attributes:
        shape: as in `Volume`.
        affine: as in `Volume`.
        oriented: as in `Volume`.
        labels: canonical labels; the values on disk if `problem` is set.
        values: number of voxels of each value on disk.
        convention: convention of the values on disk (see `detect_convention`).
        problem: problem of the labels; None if they are valid.
        slice_index: index of the axial slice with most tumour voxels.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    labels: NonzeroVoxels
    values: Mapping[int, int]
    convention: str | None
    problem: Issue | None
    slice_index: int


@dataclass(frozen=True, eq=False)
class FittedMask:
    """A mask on the grid of the images, or unchanged if it does not fit; `notes` and `problem` as in `MovedMask`."""

    images: OrientedGrid
    mask: MaskSummary
    notes: Mapping[str, str]
    problem: str


@dataclass(frozen=True, eq=False)
class ImageSummary:
    """Summary of a 3D image.

    Attributes:
        shape: as in `Volume`.
        affine: as in `Volume`.
        oriented: as in `Volume`.
        spacing_mm: as in `Volume`.
        problems: problems of its values.
        warnings: warnings about its values.
        intensities: see `image_checks.image_intensity_facts`; empty if the image has problems.
        background: its background; 0 if the image has problems.
        sample: its voxels at `image_checks.sampled_positions`.
        tumour_in_brain: whether each tumour voxel is foreground; empty if the mask has another shape.
        preview_slice: axial slice, (X, Y, Z) with an axial axis of length 1: the mask's `slice_index` if both agree in
            shape and axial axis, else the middle slice.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    spacing_mm: tuple[float, ...]
    problems: list[Issue]
    warnings: list[Issue]
    intensities: dict[str, float]
    background: Background
    sample: NDArray[Any]
    tumour_in_brain: NDArray[np.bool_]
    preview_slice: NDArray[Any]


def summarise_mask(volume: Volume, file: str, task: Task, labels_setting: str) -> MaskSummary:
    """Summarise a mask.

    Args:
        volume: the mask.
        file: path of the mask, for the problem.
        task: task of the mask.
        labels_setting: `cohort.labels`.

    Returns:
        The summary; the voxels of `volume` are no longer needed.
    """
    found = read_labels(volume.array)
    problem = label_problem(found, file, task, labels_setting)
    convention = None if problem else detect_convention(found.counts, task, labels_setting)
    labels = found if problem else canonical_labels(found, task, convention)
    index = slice_with_most_voxels(labels.where, volume.shape, volume.affine)
    return MaskSummary(volume.shape, volume.affine, volume.oriented, labels, found.counts, convention, problem, index)


def fit_mask(mask: MaskSummary, images: OrientedGrid) -> FittedMask:
    """Move a mask to the grid of the images (see `move_to_grid`)."""
    placed = move_to_grid(mask.labels, mask, images, "the images")
    if placed.labels is None or not placed.notes:
        return FittedMask(images, mask, placed.notes, placed.problem)
    fitted = replace(
        mask,
        shape=images.shape,
        affine=images.affine,
        oriented=images.oriented,
        labels=placed.labels,
        values={**mask.values, 0: mask.values[0] + math.prod(images.shape) - math.prod(mask.shape)},
        slice_index=slice_with_most_voxels(placed.labels.where, images.shape, images.affine),
    )
    return FittedMask(images, fitted, placed.notes, placed.problem)


def summarise_image(volume: Volume, title: str, file: str, mask: MaskSummary | None) -> ImageSummary:
    """Summarise an image.

    Args:
        volume: the image.
        title: title of the channel, for messages.
        file: path of the image, for the issues.
        mask: mask of the case, if known.

    Returns:
        The summary; the voxels of `volume` are no longer needed.
    """
    voxels = volume.array.reshape(-1, order="F")
    values = _summarise_intensities(volume, voxels, title, file)
    fitting = mask if mask is not None and mask.shape == volume.shape else None
    tumour = fitting.labels.where if fitting else np.empty(0, np.int32)
    same_axis = fitting and axial_axis(fitting.affine) == axial_axis(volume.affine)
    index = (
        fitting.slice_index
        if fitting and same_axis
        else slice_with_most_voxels(tumour[:0], volume.shape, volume.affine)
    )
    return ImageSummary(
        shape=volume.shape,
        affine=volume.affine,
        oriented=volume.oriented,
        spacing_mm=volume.spacing_mm,
        problems=values.problems,
        warnings=values.warnings,
        intensities=values.intensities,
        background=values.background,
        sample=values.sample,
        tumour_in_brain=_is_foreground(voxels, tumour, values.background),
        preview_slice=axial_slice(volume.array, volume.affine, index),
    )


def sample_post_contrast_in_mask(
    volume: Volume, image: ImageSummary, mask: MaskSummary | None, task: Task
) -> PostContrastSample | None:
    """Sample the contrast-enhanced T1 image at the mask's values on disk.

    Args:
        volume: the image.
        image: summary of the image.
        mask: mask of the case, if known.
        task: task of the mask, without a label map.

    Returns:
        The sample; None if the mask does not fit the image.
    """
    if mask is None or mask.shape != volume.shape or mask.labels.values.size != mask.labels.where.size:
        return None
    brain = image.sample[~image.background.mask(image.sample)]
    found = sample_post_contrast(volume.array.reshape(-1, order="F"), mask.labels.where, mask.labels.values, brain)
    on_disk = {value: value for value in found.by_value} if mask.problem else task.values_by_label(mask.convention)
    return replace(found, by_value={on_disk[label]: voxels for label, voxels in found.by_value.items()})


@dataclass(frozen=True, eq=False)
class _IntensitySummary:
    """Summary of the values of an image (see `ImageSummary`)."""

    sample: NDArray[Any]
    problems: list[Issue]
    warnings: list[Issue]
    intensities: dict[str, float]
    background: Background


def _summarise_intensities(volume: Volume, voxels: NDArray[Any], title: str, file: str) -> _IntensitySummary:
    """Summarise the values of an image; `voxels` are the volume's, flat (Fortran order)."""
    positions = image_checks.sampled_positions(volume.shape)
    sample = voxels[positions]
    low, high = _min_and_max(voxels, None)
    nan = bool(np.isnan(low)) and non_finite_voxels(volume.array).size == 0
    if nan:
        low, high = _min_and_max(voxels, Background(nan=True))
    problem = image_checks.value_problem(volume.array, low, high, title, file)
    if problem:
        return _IntensitySummary(sample, [problem], [], {}, ZERO_BACKGROUND)
    background, warnings = check_background(volume, sample, positions, low=float(low), nan=nan, title=title, file=file)
    if background != ZERO_BACKGROUND:
        low, high = _min_and_max(voxels, background)
    warnings = [*image_checks.value_warnings(volume.array, (low, high), background, title, file), *warnings]
    return _IntensitySummary(
        sample, [], warnings, image_checks.image_intensity_facts(sample, float(high), background), background
    )


def _min_and_max(voxels: NDArray[Any], background: Background | None) -> tuple[Any, Any]:
    """Return the lowest and highest value outside the background; NaN if a value is NaN or there is no foreground."""
    parts = (voxels[part] for part in chunks(voxels.size, CACHED_CHUNK_SIZE))
    if background is not None:
        parts = (part[~background.mask(part)] for part in parts)
    ends = [(part.min(), part.max()) for part in parts if part.size]
    if not ends:
        return np.nan, np.nan
    lows, highs = zip(*ends, strict=True)
    return np.min(lows), np.max(highs)


def _is_foreground(voxels: NDArray[Any], where: NDArray[np.int32], background: Background) -> NDArray[np.bool_]:
    foreground = np.empty(where.size, np.bool_)
    for part in chunks(where.size):
        np.logical_not(background.mask(voxels[where[part]]), out=foreground[part])
    return foreground
