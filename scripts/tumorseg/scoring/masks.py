"""A mask from any tool, read whole and judged before it is scored."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.header import LARGEST_VOXELS
from tumorseg.cohort.images import shape_problem
from tumorseg.cohort.mask import canonical, label_problem, read_labels, rounding_note
from tumorseg.cohort.regrid import OrientedGrid, dense, regrid
from tumorseg.cohort.volume import Volume, read_volume
from tumorseg.conventions import convention_of
from tumorseg.metrics.cells import Spacing
from tumorseg.task import load_task


class UnsoundMask(Exception):  # noqa: N818 - a finding about a file, as `Damage` is
    """A mask cannot be scored: what is wrong with it, and what to do."""


@dataclass(frozen=True, eq=False)
class Mask:
    """A reference. labels: inside labels (X, Y, Z). affine, oriented, spacing: see `cohort.volume.Volume`.

    notes: what a person should know of its file, such as that its values were rounded.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    oriented: bool
    spacing: Spacing
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return self.labels.shape


@dataclass(frozen=True, eq=False)
class Prediction:
    """A mask on the grid of its reference. labels: inside labels (X, Y, Z). notes: see `Mask`."""

    labels: NDArray[np.uint8]
    notes: tuple[str, ...]


def read_mask(path: Path, largest_voxels: int = LARGEST_VOXELS) -> Mask:
    """Read a mask in any type that writes enhancing tumour as 3 or as 4. Raises UnsoundMask.

    largest_voxels: see `read_volume`.
    """
    volume, prediction = _read(path, None, largest_voxels)
    x, y, z = volume.spacing
    return Mask(prediction.labels, volume.affine, volume.oriented, (x, y, z), prediction.notes)


def read_prediction(path: Path, reference: OrientedGrid, largest_voxels: int = LARGEST_VOXELS) -> Prediction:
    """Read a mask as `read_mask` does and put it on the grid of its reference, see `regrid`.

    Raises UnsoundMask, also where it does not fit there.
    """
    return _read(path, reference, largest_voxels)[1]


def _read(path: Path, reference: OrientedGrid | None, largest_voxels: int) -> tuple[Volume, Prediction]:
    try:
        volume = read_volume(path, largest_voxels)
    except Damage as damage:
        raise UnsoundMask(damage.message) from None
    found, task = read_labels(volume.array), load_task()
    problem = shape_problem(volume.shape, path.name, None) or label_problem(found, path.name, task, "auto")
    if problem:
        raise UnsoundMask(problem.message)
    rounded = rounding_note(found)
    found = canonical(found, task, convention_of(found.counts, task))
    placed = regrid(found, volume, volume if reference is None else reference, "its reference")
    if placed.labels is None:
        raise UnsoundMask(placed.problem)
    labels = dense(placed.labels, volume.shape if reference is None else reference.shape)
    oriented = volume.orientation_note.message if volume.orientation_note else None
    notes = [note for note in (rounded, oriented, *placed.notes.values()) if note]
    return volume, Prediction(labels, tuple(notes))
