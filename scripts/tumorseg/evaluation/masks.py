"""Read reference and predicted masks of any tool, and convert them to canonical labels on the reference's grid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.file_names import MASK, case_and_role
from tumorseg.cohort.image_checks import shape_problem
from tumorseg.cohort.mask_checks import (
    NonzeroVoxels,
    canonical_labels,
    label_order_warnings,
    label_problem,
    read_labels,
    rounding_message,
)
from tumorseg.cohort.mask_grid import OrientedGrid, VoxelGrid, dense_mask, move_to_grid
from tumorseg.cohort.other_task import (
    POST_CONTRAST_CHANNEL,
    PostContrastSample,
    find_other_task_signs,
    matches_case_names,
    other_task_problem,
)
from tumorseg.cohort.summaries import sample_post_contrast_in_mask, summarise_image, summarise_mask
from tumorseg.errors import InvalidMaskError
from tumorseg.evaluation.channels import ChannelStatistics, label_mask_hint, read_channels
from tumorseg.io.volume import Volume, read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.metrics.surface_elements import Spacing
from tumorseg.task import Task
from tumorseg.task.conventions import detect_convention

REFERENCE_MAP_KEY: Final = "cohort.label_map"
PREDICTION_MAP_KEY: Final = "score.label_map"


@dataclass(frozen=True)
class MaskReadOptions:
    """How to read the masks of a folder.

    Attributes:
        task: the meaning of values, with the user's label map if there is one.
        labels: value of `cohort.labels`: `auto`, `mixed` or a convention.
        label_map_key: configuration key of the label map, for messages.
        max_voxels: see `io.volume.read_volume`.
        regions: region of each channel in files with one channel per region; None if the order is not known yet.
        check_task_signs: whether to look for signs of another task in references and in the images next to them.
    """

    task: Task
    labels: str = "auto"
    label_map_key: str = REFERENCE_MAP_KEY
    max_voxels: int = DEFAULT_MAX_VOXELS
    regions: tuple[str, ...] | None = None
    check_task_signs: bool = False

    def for_predictions(self, label_map: Mapping[int, int] | None) -> "MaskReadOptions":
        """Return the options for predictions that are scored against these references.

        Predictions may use another convention than the references.

        Args:
            label_map: an entry of `score.label_map`; None reads predictions with the label map of the references.
        """
        task = self.task if label_map is None else self.task.with_label_map(label_map)
        return replace(
            self, task=task, labels="mixed" if self.labels == "mixed" else "auto", label_map_key=PREDICTION_MAP_KEY
        )


@dataclass(frozen=True, eq=False)
class ReferenceMask:
    """A reference mask.

    Attributes:
        labels: canonical labels, uint8 (X, Y, Z).
        affine: see `io.volume.Volume`.
        oriented: see `io.volume.Volume`.
        spacing_mm: voxel edges along X, Y and Z.
        values: values on disk.
        notes: notes for users about the file, such as that its values were rounded.
        task_confirmed: whether the name, or the image next to the mask with `check_task_signs`, confirms the task.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    oriented: bool
    spacing_mm: Spacing
    values: frozenset[int]
    notes: tuple[str, ...]
    task_confirmed: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return self.labels.shape


@dataclass(frozen=True, eq=False)
class PredictedMask:
    """A predicted mask on the grid of its reference.

    Attributes:
        labels: canonical labels, uint8 (X, Y, Z).
        values: values on disk; empty if the file has one channel per region.
        notes: notes for users about the file.
        channels: statistics of the channels; None if the file is a mask of labels.
    """

    labels: NDArray[np.uint8]
    values: frozenset[int]
    notes: tuple[str, ...]
    channels: ChannelStatistics | None = None


def read_reference(path: Path, case: str, options: MaskReadOptions) -> ReferenceMask:
    """Return a reference mask, stored with any data type.

    Args:
        path: the file.
        case: name of the case, which may show that it is of another task.
        options: how to read the file.

    Raises:
        InvalidMaskError: the mask cannot be read or is not a mask of the task.
    """
    volume = _read_volume(path, options)
    if problem := shape_problem(volume.shape, path.name, None):
        hint = (
            f"; if it has a channel for each region, {label_mask_hint(options.task)}" if volume.array.ndim > 3 else ""
        )
        raise InvalidMaskError(f"{problem.message}{hint}")
    x, y, z = volume.spacing_mm
    contrast = (
        reference_contrast(path, volume, options.task, options.labels, options.max_voxels)
        if options.check_task_signs and options.task.label_map is None
        else None
    )
    on_disk = _labels(volume, path.name, case, options, contrast)
    mask = _canonical_on_reference(on_disk, volume, volume, options)
    notes = mask.notes
    if options.check_task_signs:
        convention = detect_convention(on_disk.counts, options.task, options.labels)
        labels = canonical_labels(on_disk, options.task, convention)
        notes += tuple(
            warning.message for warning in label_order_warnings(labels, volume.shape, path.name, options.task)
        )
    confirmed = contrast is not None or any(matches_case_names(name, options.task) for name in (case, path.name))
    return ReferenceMask(mask.labels, volume.affine, volume.oriented, (x, y, z), mask.values, notes, confirmed)


def read_predicted_mask(path: Path, case: str, reference: OrientedGrid, options: MaskReadOptions) -> PredictedMask:
    """Return a predicted mask on the grid of its reference.

    A file with one channel per region becomes a mask of labels. If `options.regions` is None, the labels are wrong, but
    tumour and background are right.

    Args:
        path: the file.
        case: name of the case, which may show that it is of another task.
        reference: grid of the reference.
        options: how to read the file.

    Raises:
        InvalidMaskError: the mask cannot be read, is not a mask of the task, or does not fit the reference.
    """
    volume = _read_volume(path, options)
    if volume.array.ndim <= 3:
        if problem := shape_problem(volume.shape, path.name, None):
            raise InvalidMaskError(problem.message)
        on_disk = _labels(volume, path.name, case, options)
        return _canonical_on_reference(on_disk, volume, reference, options)
    _refuse_other_task([case, path.name], reference.shape, (), options)
    channels = read_channels(volume.array, reference.shape, options.task)
    labels = read_labels(channels.to_labels(options.regions or tuple(options.task.region_labels), options.task))
    grid = VoxelGrid(channels.masks.shape[1:], volume.affine, volume.oriented)
    mask = _move_to_reference(labels, grid, reference)
    notes = tuple(note for note in (_orientation_note(volume), *mask.notes) if note)
    return replace(mask, notes=notes, channels=channels.statistics())


def _read_volume(path: Path, options: MaskReadOptions) -> Volume:
    try:
        return read_volume(path, options.max_voxels)
    except VolumeError as error:
        raise InvalidMaskError(error.message) from None


def _labels(
    volume: Volume, file: str, case: str, options: MaskReadOptions, contrast: PostContrastSample | None = None
) -> NonzeroVoxels:
    """Return the values of a mask on disk. Raises InvalidMaskError if they are not values of the task."""
    on_disk = read_labels(volume.array)
    _refuse_other_task([case, file], volume.shape, on_disk.counts, options, contrast)
    if problem := label_problem(on_disk, file, options.task, options.labels, options.label_map_key):
        raise InvalidMaskError(problem.message, systematic=problem.code != "not_finite")
    return on_disk


def _refuse_other_task(
    names: list[str],
    shape: tuple[int, ...],
    values: Iterable[int],
    options: MaskReadOptions,
    contrast: PostContrastSample | None = None,
) -> None:
    """Raise InvalidMaskError if names, grid, values or an image show another task, unless a label map is set."""
    if options.task.label_map is not None:
        return
    signs = find_other_task_signs(options.task, names=names, shape=shape, values=values, contrast=contrast)
    if signs.tasks and not signs.only_values:
        raise InvalidMaskError(
            other_task_problem(signs, options.task, names[0], options.label_map_key).message, systematic=True
        )


def _canonical_on_reference(
    on_disk: NonzeroVoxels, volume: Volume, reference: OrientedGrid, options: MaskReadOptions
) -> PredictedMask:
    labels = canonical_labels(on_disk, options.task, detect_convention(on_disk.counts, options.task, options.labels))
    mask = _move_to_reference(labels, volume, reference)
    notes = tuple(note for note in (rounding_message(on_disk), _orientation_note(volume), *mask.notes) if note)
    return replace(mask, values=frozenset(on_disk.counts), notes=notes)


def _move_to_reference(labels: NonzeroVoxels, grid: OrientedGrid, reference: OrientedGrid) -> PredictedMask:
    result = move_to_grid(labels, grid, reference, "its reference")
    if result.labels is None:
        raise InvalidMaskError(result.problem)
    return PredictedMask(dense_mask(result.labels, reference.shape), frozenset(), tuple(result.notes.values()))


def _orientation_note(volume: Volume) -> str | None:
    return volume.orientation_warning.message if volume.orientation_warning else None


def reference_contrast(path: Path, mask: Volume, task: Task, labels: str, max_voxels: int) -> PostContrastSample | None:
    """Return a sample of the post-contrast image next to a reference; None if there is no valid image.

    Args:
        path: the reference.
        mask: content of the reference.
        task: a task without a label map. Its file names identify the image.
        labels: value of `cohort.labels`.
        max_voxels: see `io.volume.read_volume`.
    """
    name = case_and_role(path.name, task)
    if name is None or name[1] != MASK or POST_CONTRAST_CHANNEL not in task.channel_names or mask.array.ndim != 3:
        return None
    images = [
        file
        for file in sorted(path.parent.iterdir())
        if case_and_role(file.name, task) == (name[0], POST_CONTRAST_CHANNEL)
    ]
    if not images:
        return None
    try:
        image = read_volume(images[0], max_voxels)
    except VolumeError:
        return None
    mask_summary = summarise_mask(mask, path.name, task, labels)
    if image.shape != mask.shape:
        return None
    summary = summarise_image(image, task.channel_titles[POST_CONTRAST_CHANNEL], images[0].name, mask_summary)
    return None if summary.problems else sample_post_contrast_in_mask(image, summary, mask_summary, task)
