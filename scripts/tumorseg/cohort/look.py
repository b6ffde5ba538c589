"""What is kept of a volume once its voxels are let go: a case is judged with one volume in memory at a time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort import images
from tumorseg.cohort.background import ZERO, Background, stray_voxels
from tumorseg.cohort.mask import Labels, canonical, label_problem, read_labels
from tumorseg.cohort.other_task import Contrast, contrast_of
from tumorseg.cohort.pieces import CACHED_PIECE, pieces
from tumorseg.cohort.preparation import background_findings
from tumorseg.cohort.preview import fullest_slice, thin
from tumorseg.cohort.regrid import OrientedGrid, regrid
from tumorseg.cohort.verdict import Finding
from tumorseg.cohort.volume import Volume
from tumorseg.conventions import convention_of
from tumorseg.orientation import axial_axis
from tumorseg.task import Task


@dataclass(frozen=True, eq=False)
class MaskLook:
    """A mask of three dimensions.

    shape, affine, oriented: see `Volume`. labels: canonical ones, or, where there is a problem with them, the values on
    disk. values: voxels of each value on disk. convention: how they are written, see `convention_of`. index: the axial
    slice with most of the tumour.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    labels: Labels
    values: Mapping[int, int]
    convention: str | None
    problem: Finding | None
    index: int


@dataclass(frozen=True, eq=False)
class FittedMask:
    """A mask on the grid of the images, or as it is where it does not fit there. notes, problem: see `Regridded`."""

    images: OrientedGrid
    mask: MaskLook
    notes: Mapping[str, str]
    problem: str


@dataclass(frozen=True, eq=False)
class ImageLook:
    """A modality of three dimensions.

    shape, affine, oriented, spacing: see `Volume`. problems, warnings: about its values. intensities: see
    `images.intensity_facts`, of a modality without problems. background: 0 of a modality with problems. sample: its
    voxels at `images.sampled_positions`. shown: whether it is not background at each of the tumour's voxels, where the
    mask has its shape. thin: the slice `index` of the mask, (X, Y, Z), where they also agree about which way is up;
    else the middle slice.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    spacing: tuple[float, ...]
    problems: list[Finding]
    warnings: list[Finding]
    intensities: dict[str, float]
    background: Background
    sample: NDArray[Any]
    shown: NDArray[np.bool_]
    thin: NDArray[Any]


def look_at_mask(volume: Volume, file: str, task: Task, setting: str) -> MaskLook:
    """What is kept of the mask. file: its path, for the findings. setting: `cohort.labels`."""
    found = read_labels(volume.array)
    problem = label_problem(found, file, task, setting)
    convention = None if problem else convention_of(found.counts, task, setting)
    labels = found if problem else canonical(found, task, convention)
    index = fullest_slice(labels.where, volume.shape, volume.affine)
    return MaskLook(volume.shape, volume.affine, volume.oriented, labels, found.counts, convention, problem, index)


def fit_mask(mask: MaskLook, images: OrientedGrid) -> FittedMask:
    """The mask on the grid of the images; see `regrid`."""
    placed = regrid(mask.labels, mask, images, "the images")
    if placed.labels is None or not placed.notes:
        return FittedMask(images, mask, placed.notes, placed.problem)
    fitted = replace(
        mask,
        shape=images.shape,
        affine=images.affine,
        oriented=images.oriented,
        labels=placed.labels,
        values={**mask.values, 0: mask.values[0] + math.prod(images.shape) - math.prod(mask.shape)},
        index=fullest_slice(placed.labels.where, images.shape, images.affine),
    )
    return FittedMask(images, fitted, placed.notes, placed.problem)


def look_at_image(volume: Volume, title: str, file: str, mask: MaskLook | None) -> ImageLook:
    """What is kept of an image. title: of its channel. file: its path, for the findings."""
    voxels = volume.array.reshape(-1, order="F")
    values = _look_at_values(volume, voxels, title, file)
    fitting = mask if mask is not None and mask.shape == volume.shape else None
    tumour = fitting.labels.where if fitting else np.empty(0, np.int32)
    same_way_up = fitting and axial_axis(fitting.affine) == axial_axis(volume.affine)
    index = fitting.index if fitting and same_way_up else fullest_slice(tumour[:0], volume.shape, volume.affine)
    return ImageLook(
        shape=volume.shape,
        affine=volume.affine,
        oriented=volume.oriented,
        spacing=volume.spacing,
        problems=values.problems,
        warnings=values.warnings,
        intensities=values.intensities,
        background=values.background,
        sample=values.sample,
        shown=_shown(voxels, tumour, values.background),
        thin=thin(volume.array, volume.affine, index),
    )


def contrast_under(volume: Volume, image: ImageLook, mask: MaskLook | None, task: Task) -> Contrast | None:
    """What is kept of the image after contrast medium, by the mask's values on disk; None where they do not fit.

    image: what was kept of that volume. task: it has no label map.
    """
    if mask is None or mask.shape != volume.shape or mask.labels.written.size != mask.labels.where.size:
        return None
    brain = image.sample[~image.background.mask(image.sample)]
    found = contrast_of(volume.array.reshape(-1, order="F"), mask.labels.where, mask.labels.written, brain)
    on_disk = {value: value for value in found.by_value} if mask.problem else task.written(mask.convention)
    return replace(found, by_value={on_disk[label]: voxels for label, voxels in found.by_value.items()})


@dataclass(frozen=True, eq=False)
class _Values:
    """What the values of a modality say. See `ImageLook`."""

    sample: NDArray[Any]
    problems: list[Finding]
    warnings: list[Finding]
    intensities: dict[str, float]
    background: Background


def _look_at_values(volume: Volume, voxels: NDArray[Any], title: str, file: str) -> _Values:
    """voxels: those of the volume, flat (Fortran order)."""
    positions = images.sampled_positions(volume.shape)
    sample = voxels[positions]
    low, high = _extremes(voxels, None)
    nan = bool(np.isnan(low)) and stray_voxels(volume.array).size == 0
    if nan:
        low, high = _extremes(voxels, Background(nan=True))
    problem = images.value_problem(volume.array, low, high, title, file)
    if problem:
        return _Values(sample, [problem], [], {}, ZERO)
    background, warnings = background_findings(
        volume, sample, positions, low=float(low), nan=nan, title=title, file=file
    )
    if background != ZERO:
        low, high = _extremes(voxels, background)
    warnings = [*images.value_warnings(volume.array, (low, high), background, title, file), *warnings]
    return _Values(sample, [], warnings, images.intensity_facts(sample, float(high), background), background)


def _extremes(voxels: NDArray[Any], background: Background | None) -> tuple[Any, Any]:
    """The lowest and the highest value of what is not background, or of all; both are NaN where a voxel of these is.

    Both are NaN, too, where there is nothing but background.
    """
    parts = (voxels[part] for part in pieces(voxels.size, CACHED_PIECE))
    if background is not None:
        parts = (part[~background.mask(part)] for part in parts)
    ends = [(part.min(), part.max()) for part in parts if part.size]
    if not ends:
        return np.nan, np.nan
    lows, highs = zip(*ends, strict=True)
    return np.min(lows), np.max(highs)


def _shown(voxels: NDArray[Any], where: NDArray[np.int32], background: Background) -> NDArray[np.bool_]:
    shown = np.empty(where.size, np.bool_)
    for part in pieces(where.size):
        np.logical_not(background.mask(voxels[where[part]]), out=shown[part])
    return shown
