"""A mask from any tool, read whole and judged before it is scored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.images import shape_problem
from tumorseg.cohort.label_order import order_warnings
from tumorseg.cohort.largest import LARGEST_VOXELS
from tumorseg.cohort.mask import Labels, canonical, label_problem, read_labels, rounding_note
from tumorseg.cohort.other_task import Contrast, is_called, other_task, signs
from tumorseg.cohort.regrid import OrientedGrid, VoxelGrid, dense, regrid
from tumorseg.cohort.volume import Volume, read_volume
from tumorseg.conventions import convention_of
from tumorseg.metrics.cells import Spacing
from tumorseg.scoring.channels import ChannelFacts, read_channels, way_to_labels
from tumorseg.scoring.image_beside import contrast_beside
from tumorseg.scoring.unsound import UnsoundMask
from tumorseg.task import Task

REFERENCES: Final = "cohort.label_map"
PREDICTIONS: Final = "score.label_map"


@dataclass(frozen=True)
class Reading:
    """How the masks of a folder are read.

    task: what values mean, with the user's label map if there is one. labels: `auto`, `mixed` or a convention, as
    `cohort.labels` says. map_key: the setting of the label map, for messages. largest_voxels: see `read_volume`.
    regions: of the channels of files that have one for each region; None where their order is not known yet. closely:
    look at references for signs that labels mean something else, also at the image beside them; once is enough.
    """

    task: Task
    labels: str = "auto"
    map_key: str = REFERENCES
    largest_voxels: int = LARGEST_VOXELS
    regions: tuple[str, ...] | None = None
    closely: bool = False

    def for_predictions(self, label_map: Mapping[int, int] | None) -> "Reading":
        """How predictions are read beside these references. label_map: an entry of `score.label_map`.

        Without one they are read by the same map or task; they may be of another convention.
        """
        task = self.task if label_map is None else self.task.with_label_map(label_map)
        return replace(self, task=task, labels="mixed" if self.labels == "mixed" else "auto", map_key=PREDICTIONS)


@dataclass(frozen=True, eq=False)
class Mask:
    """A reference. labels: those of the task, uint8 (X, Y, Z). affine, oriented, spacing: see `cohort.volume.Volume`.

    values: on disk. notes: what a person should know of its file, such as that its values were rounded. certain:
    whether its name or the image beside it says that it is of the task; known only where it is looked at `closely`.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    oriented: bool
    spacing: Spacing
    values: frozenset[int]
    notes: tuple[str, ...]
    certain: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return self.labels.shape


@dataclass(frozen=True, eq=False)
class Prediction:
    """A mask on the grid of its reference. labels: those of the task, uint8 (X, Y, Z). values, notes: see `Mask`.

    channels: of a file that has one for each region, where `values` are none; else None.
    """

    labels: NDArray[np.uint8]
    values: frozenset[int]
    notes: tuple[str, ...]
    channels: ChannelFacts | None = None


def read_mask(path: Path, case: str, reading: Reading) -> Mask:
    """Read a mask in any type. case: its name, which may be one of another task. Raises UnsoundMask."""
    volume = _volume(path, reading)
    if problem := shape_problem(volume.shape, path.name, None):
        several = (
            f"; if it has a channel for each region, {way_to_labels(reading.task)}" if volume.array.ndim > 3 else ""
        )
        raise UnsoundMask(f"{problem.message}{several}")
    x, y, z = volume.spacing
    contrast = (
        contrast_beside(path, volume, reading.task, reading.labels, reading.largest_voxels)
        if reading.closely and reading.task.label_map is None
        else None
    )
    found = _labels(volume, path.name, case, reading, contrast)
    prediction = _placed(found, volume, volume, reading)
    notes = prediction.notes
    if reading.closely:
        labels = canonical(found, reading.task, convention_of(found.counts, reading.task, reading.labels))
        notes += tuple(warning.message for warning in order_warnings(labels, volume.shape, path.name, reading.task))
    certain = contrast is not None or any(is_called(name, reading.task) for name in (case, path.name))
    return Mask(prediction.labels, volume.affine, volume.oriented, (x, y, z), prediction.values, notes, certain)


def read_prediction(path: Path, case: str, reference: OrientedGrid, reading: Reading) -> Prediction:
    """Read a mask as `read_mask` does and put it on the grid of its reference, see `regrid`.

    A file with a channel for each region of the task becomes a mask of labels; where `reading.regions` is None, only
    which voxels are not 0 is right in it. Raises UnsoundMask, also where the mask does not fit the reference.
    """
    volume = _volume(path, reading)
    if volume.array.ndim <= 3:
        if problem := shape_problem(volume.shape, path.name, None):
            raise UnsoundMask(problem.message)
        found = _labels(volume, path.name, case, reading)
        return _placed(found, volume, reference, reading)
    _refuse_other_task([case, path.name], reference.shape, (), reading)
    channels = read_channels(volume.array, reference.shape, reading.task)
    labels = read_labels(channels.painted(reading.regions or tuple(reading.task.region_labels), reading.task))
    grid = VoxelGrid(channels.inside.shape[1:], volume.affine, volume.oriented)
    placed = _on_reference(labels, grid, reference)
    notes = tuple(note for note in (_orientation(volume), *placed.notes) if note)
    return replace(placed, notes=notes, channels=channels.facts())


def _volume(path: Path, reading: Reading) -> Volume:
    try:
        return read_volume(path, reading.largest_voxels)
    except Damage as damage:
        raise UnsoundMask(damage.message) from None


def _labels(volume: Volume, file: str, case: str, reading: Reading, contrast: Contrast | None = None) -> Labels:
    """The values of a mask on disk. Raises UnsoundMask where they are not those of the task."""
    found = read_labels(volume.array)
    _refuse_other_task([case, file], volume.shape, found.counts, reading, contrast)
    if problem := label_problem(found, file, reading.task, reading.labels, reading.map_key):
        raise UnsoundMask(problem.message, systematic=problem.code != "not_finite")
    return found


def _refuse_other_task(
    names: list[str],
    shape: tuple[int, ...],
    values: Iterable[int],
    reading: Reading,
    contrast: Contrast | None = None,
) -> None:
    """Raise UnsoundMask where names, grid, values or an image speak for another task. A label map leaves no doubt."""
    if reading.task.label_map is not None:
        return
    found = signs(reading.task, names=names, shape=shape, values=values, contrast=contrast)
    if found.tasks and not found.only_values:
        raise UnsoundMask(other_task(found, reading.task, names[0], reading.map_key).message, systematic=True)


def _placed(found: Labels, volume: Volume, reference: OrientedGrid, reading: Reading) -> Prediction:
    labels = canonical(found, reading.task, convention_of(found.counts, reading.task, reading.labels))
    placed = _on_reference(labels, volume, reference)
    notes = tuple(note for note in (rounding_note(found), _orientation(volume), *placed.notes) if note)
    return replace(placed, values=frozenset(found.counts), notes=notes)


def _on_reference(labels: Labels, grid: OrientedGrid, reference: OrientedGrid) -> Prediction:
    placed = regrid(labels, grid, reference, "its reference")
    if placed.labels is None:
        raise UnsoundMask(placed.problem)
    return Prediction(dense(placed.labels, reference.shape), frozenset(), tuple(placed.notes.values()))


def _orientation(volume: Volume) -> str | None:
    return volume.orientation_note.message if volume.orientation_note else None
