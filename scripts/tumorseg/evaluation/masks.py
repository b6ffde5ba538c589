"""Read reference and predicted masks from any tool, and convert them to canonical labels on the reference's grid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.file_names import MASK, case_and_role
from tumorseg.cohort.image_checks import shape_problem
from tumorseg.cohort.mask_checks import (
    MaskLabels,
    canonical_labels,
    label_order_warnings,
    label_problem,
    read_labels,
    rounding_message,
)
from tumorseg.cohort.other_task import (
    POST_CONTRAST_CHANNEL,
    PostContrastSample,
    find_other_task_signs,
    matches_case_names,
    other_task_problem,
)
from tumorseg.cohort.regrid import OrientedGrid, VoxelGrid, dense_mask, regrid_labels
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
    """How the masks of a folder are read.

    task: what values mean, with the user's label map if there is one. labels: `auto`, `mixed` or a convention, as
    `cohort.labels` says. map_key: the setting of the label map, for messages. largest_voxels: see `read_volume`.
    regions: of the channels of files that have one for each region; None where their order is not known yet. closely:
    look at references for signs that labels mean something else, also at the image beside them; once is enough.
    """

    task: Task
    labels: str = "auto"
    label_map_key: str = REFERENCE_MAP_KEY
    max_voxels: int = DEFAULT_MAX_VOXELS
    regions: tuple[str, ...] | None = None
    check_task_signs: bool = False

    def for_predictions(self, label_map: Mapping[int, int] | None) -> "MaskReadOptions":
        """How predictions are read beside these references. label_map: an entry of `score.label_map`.

        Without one they are read by the same map or task; they may be of another convention.
        """
        task = self.task if label_map is None else self.task.with_label_map(label_map)
        return replace(
            self, task=task, labels="mixed" if self.labels == "mixed" else "auto", label_map_key=PREDICTION_MAP_KEY
        )


@dataclass(frozen=True, eq=False)
class ReferenceMask:
    """A reference. labels: those of the task, uint8 (X, Y, Z). affine, oriented, spacing: see `cohort.volume.Volume`.

    values: on disk. notes: what a person should know of its file, such as that its values were rounded. certain:
    whether its name or the image beside it says that it is of the task; known only where it is looked at `closely`.
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
    """A mask on the grid of its reference. labels: those of the task, uint8 (X, Y, Z). values, notes: see `Mask`.

    channels: of a file that has one for each region, where `values` are none; else None.
    """

    labels: NDArray[np.uint8]
    values: frozenset[int]
    notes: tuple[str, ...]
    channels: ChannelStatistics | None = None


def read_reference(path: Path, case: str, options: MaskReadOptions) -> ReferenceMask:
    """Read a mask in any type. case: its name, which may be one of another task. Raises UnsoundMask."""
    volume = _read_volume(path, options)
    if problem := shape_problem(volume.shape, path.name, None):
        several = (
            f"; if it has a channel for each region, {label_mask_hint(options.task)}" if volume.array.ndim > 3 else ""
        )
        raise InvalidMaskError(f"{problem.message}{several}")
    x, y, z = volume.spacing
    contrast = (
        reference_contrast(path, volume, options.task, options.labels, options.max_voxels)
        if options.check_task_signs and options.task.label_map is None
        else None
    )
    found = _labels(volume, path.name, case, options, contrast)
    prediction = _canonical_on_reference(found, volume, volume, options)
    notes = prediction.notes
    if options.check_task_signs:
        labels = canonical_labels(found, options.task, detect_convention(found.counts, options.task, options.labels))
        notes += tuple(
            warning.message for warning in label_order_warnings(labels, volume.shape, path.name, options.task)
        )
    certain = contrast is not None or any(matches_case_names(name, options.task) for name in (case, path.name))
    return ReferenceMask(
        prediction.labels, volume.affine, volume.oriented, (x, y, z), prediction.values, notes, certain
    )


def read_prediction(path: Path, case: str, reference: OrientedGrid, options: MaskReadOptions) -> PredictedMask:
    """Read a mask as `read_mask` does and put it on the grid of its reference, see `regrid`.

    A file with a channel for each region of the task becomes a mask of labels; where `reading.regions` is None, only
    which voxels are not 0 is right in it. Raises UnsoundMask, also where the mask does not fit the reference.
    """
    volume = _read_volume(path, options)
    if volume.array.ndim <= 3:
        if problem := shape_problem(volume.shape, path.name, None):
            raise InvalidMaskError(problem.message)
        found = _labels(volume, path.name, case, options)
        return _canonical_on_reference(found, volume, reference, options)
    _refuse_other_task([case, path.name], reference.shape, (), options)
    channels = read_channels(volume.array, reference.shape, options.task)
    labels = read_labels(channels.to_labels(options.regions or tuple(options.task.region_labels), options.task))
    grid = VoxelGrid(channels.masks.shape[1:], volume.affine, volume.oriented)
    placed = _regrid_to_reference(labels, grid, reference)
    notes = tuple(note for note in (_orientation_note(volume), *placed.notes) if note)
    return replace(placed, notes=notes, channels=channels.statistics())


def _read_volume(path: Path, options: MaskReadOptions) -> Volume:
    try:
        return read_volume(path, options.max_voxels)
    except VolumeError as damage:
        raise InvalidMaskError(damage.message) from None


def _labels(
    volume: Volume, file: str, case: str, options: MaskReadOptions, contrast: PostContrastSample | None = None
) -> MaskLabels:
    """The values of a mask on disk. Raises UnsoundMask where they are not those of the task."""
    found = read_labels(volume.array)
    _refuse_other_task([case, file], volume.shape, found.counts, options, contrast)
    if problem := label_problem(found, file, options.task, options.labels, options.label_map_key):
        raise InvalidMaskError(problem.message, systematic=problem.code != "not_finite")
    return found


def _refuse_other_task(
    names: list[str],
    shape: tuple[int, ...],
    values: Iterable[int],
    options: MaskReadOptions,
    contrast: PostContrastSample | None = None,
) -> None:
    """Raise UnsoundMask where names, grid, values or an image speak for another task. A label map leaves no doubt."""
    if options.task.label_map is not None:
        return
    found = find_other_task_signs(options.task, names=names, shape=shape, values=values, contrast=contrast)
    if found.tasks and not found.only_values:
        raise InvalidMaskError(
            other_task_problem(found, options.task, names[0], options.label_map_key).message, systematic=True
        )


def _canonical_on_reference(
    found: MaskLabels, volume: Volume, reference: OrientedGrid, options: MaskReadOptions
) -> PredictedMask:
    labels = canonical_labels(found, options.task, detect_convention(found.counts, options.task, options.labels))
    placed = _regrid_to_reference(labels, volume, reference)
    notes = tuple(note for note in (rounding_message(found), _orientation_note(volume), *placed.notes) if note)
    return replace(placed, values=frozenset(found.counts), notes=notes)


def _regrid_to_reference(labels: MaskLabels, grid: OrientedGrid, reference: OrientedGrid) -> PredictedMask:
    placed = regrid_labels(labels, grid, reference, "its reference")
    if placed.labels is None:
        raise InvalidMaskError(placed.problem)
    return PredictedMask(dense_mask(placed.labels, reference.shape), frozenset(), tuple(placed.notes.values()))


def _orientation_note(volume: Volume) -> str | None:
    return volume.orientation_note.message if volume.orientation_note else None


def reference_contrast(path: Path, mask: Volume, task: Task, labels: str, max_voxels: int) -> PostContrastSample | None:
    """Return what is kept of the image after contrast medium of a reference, None without one that can be read.

    Args:
        path: of the reference.
        mask: its content.
        task: its file names tell the image; it has no label map.
        labels: as `cohort.labels` says.
        largest_voxels: see `read_volume`.
    """
    own = case_and_role(path.name, task)
    if own is None or own[1] != MASK or POST_CONTRAST_CHANNEL not in task.channel_names or mask.array.ndim != 3:
        return None
    there = [
        file
        for file in sorted(path.parent.iterdir())
        if case_and_role(file.name, task) == (own[0], POST_CONTRAST_CHANNEL)
    ]
    if not there:
        return None
    try:
        image = read_volume(there[0], max_voxels)
    except VolumeError:
        return None
    look = summarise_mask(mask, path.name, task, labels)
    if image.shape != mask.shape:
        return None
    found = summarise_image(image, task.channel_titles[POST_CONTRAST_CHANNEL], there[0].name, look)
    return None if found.problems else sample_post_contrast_in_mask(image, found, look, task)
