"""What is kept of a volume once its voxels are let go: a case is judged with one volume in memory at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort import images
from tumorseg.cohort.damage import WarningCode
from tumorseg.cohort.mask import Labels, read_labels
from tumorseg.cohort.pieces import CACHED_PIECE, pieces
from tumorseg.cohort.preview import fullest_slice, thin
from tumorseg.cohort.regrid import OrientedGrid, regrid
from tumorseg.cohort.verdict import Finding
from tumorseg.cohort.volume import Volume
from tumorseg.orientation import axial_axis


@dataclass(frozen=True, eq=False)
class MaskLook:
    """A mask of three dimensions. shape, affine, oriented: see `Volume`. index: the axial slice with most of it."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    labels: Labels
    index: int


@dataclass(frozen=True, eq=False)
class FittedMask:
    """A mask on the grid of the images, or as it is where it does not fit there. notes, problem: see `Regridded`."""

    images: OrientedGrid
    mask: MaskLook
    notes: Mapping[WarningCode, str]
    problem: str


@dataclass(frozen=True, eq=False)
class ImageLook:
    """A modality of three dimensions.

    shape, affine, oriented, spacing: see `Volume`. problems, warnings: about its values. intensities: see
    `images.intensity_facts`, of a modality without problems. sample: see `images.sampled`. shown: whether it is not 0
    at each of the tumour's voxels, where the mask has its shape. thin: the slice `index` of the mask, (X, Y, Z),
    where they also agree about which way is up; else the middle slice.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    spacing: tuple[float, ...]
    problems: list[Finding]
    warnings: list[Finding]
    intensities: dict[str, float]
    sample: NDArray[Any]
    shown: NDArray[np.bool_]
    thin: NDArray[Any]


def look_at_mask(volume: Volume) -> MaskLook:
    """What is kept of the mask."""
    return _look_at_labels(read_labels(volume.array), volume)


def fit_mask(mask: MaskLook, images: OrientedGrid) -> FittedMask:
    """The mask on the grid of the images; see `regrid`."""
    placed = regrid(mask.labels, mask, images, "the images")
    moved = placed.labels is not None and placed.labels is not mask.labels
    fitted = _look_at_labels(placed.labels, images) if placed.labels is not None and moved else mask
    return FittedMask(images, fitted, placed.notes, placed.problem)


def _look_at_labels(labels: Labels, grid: OrientedGrid) -> MaskLook:
    return MaskLook(
        grid.shape, grid.affine, grid.oriented, labels, fullest_slice(labels.where, grid.shape, grid.affine)
    )


def look_at_image(volume: Volume, role: str, file: str, mask: MaskLook | None) -> ImageLook:
    """What is kept of a modality. file: its path, for the findings."""
    voxels = volume.array.reshape(-1, order="F")
    low, high = _extremes(voxels)
    problems, warnings = images.value_findings(volume.array, low, high, role, file)
    sample = images.sampled(volume.array)
    fitting = mask if mask is not None and mask.shape == volume.shape else None
    tumour = fitting.labels.where if fitting else np.empty(0, np.int32)
    same_way_up = fitting and axial_axis(fitting.affine) == axial_axis(volume.affine)
    index = fitting.index if fitting and same_way_up else fullest_slice(tumour[:0], volume.shape, volume.affine)
    return ImageLook(
        shape=volume.shape,
        affine=volume.affine,
        oriented=volume.oriented,
        spacing=volume.spacing,
        problems=problems,
        warnings=warnings,
        intensities={} if problems else images.intensity_facts(sample, float(high)),
        sample=sample,
        shown=_shown(voxels, tumour),
        thin=thin(volume.array, volume.affine, index),
    )


def _extremes(voxels: NDArray[Any]) -> tuple[Any, Any]:
    """The lowest and the highest value; both are NaN where a voxel is."""
    parts = [voxels[part] for part in pieces(voxels.size, CACHED_PIECE)]
    lows, highs = zip(*((part.min(), part.max()) for part in parts), strict=True)
    return np.min(lows), np.max(highs)


def _shown(voxels: NDArray[Any], where: NDArray[np.int32]) -> NDArray[np.bool_]:
    shown = np.empty(where.size, np.bool_)
    for part in pieces(where.size):
        np.not_equal(voxels[where[part]], 0, out=shown[part])
    return shown
