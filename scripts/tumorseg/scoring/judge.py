"""Which masks can be scored: all are read before the first score is taken, so that what is wrong is told at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.header import LARGEST_VOXELS
from tumorseg.cohort.regrid import OrientedGrid
from tumorseg.console import Progress
from tumorseg.errors import UserError
from tumorseg.scoring.masks import UnsoundMask, read_mask, read_prediction

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class MaskGrid:
    """The grid of a reference, see `cohort.regrid.OrientedGrid`, and what a person should know of its file."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Judgement:
    """A prediction. reason: why it cannot be scored, or None. notes: what a person should know of its file."""

    reason: str | None
    notes: tuple[str, ...] = ()


def reference_grids(
    folder: Path, files: Mapping[str, str], threads: int, largest_voxels: int = LARGEST_VOXELS
) -> dict[str, MaskGrid]:
    """The grid of each case's reference. files: by case, its path below `folder`. largest_voxels: see `read_volume`.

    Raises UserError, which lists all references that are unsound: the set of them is the user's to mend.
    """
    read = partial(_reference, largest_voxels=largest_voxels)
    found = _each({file: folder / file for file in files.values()}, read, "checking reference", threads)
    unsound = [f"{file}: {grid}" for file, grid in zip(files.values(), found, strict=True) if isinstance(grid, str)]
    if unsound:
        raise UserError("\n".join([f"score.references: mend or remove what is unsound below {folder}", *unsound]))
    return {case: grid for case, grid in zip(files, found, strict=True) if not isinstance(grid, str)}


def judge_predictions(
    folder: Path,
    files: Mapping[str, str],
    grids: Mapping[str, OrientedGrid],
    threads: int,
    largest_voxels: int = LARGEST_VOXELS,
) -> dict[str, Judgement]:
    """By case, whether a prediction can be compared with its reference.

    files: by case, its path below `folder`. grids: those of the references. largest_voxels: see `read_volume`.
    """
    items = {file: (folder / file, grids[case]) for case, file in files.items()}
    read = partial(_prediction, largest_voxels=largest_voxels)
    return dict(zip(files, _each(items, read, "checking prediction", threads), strict=True))


def _each(items: Mapping[str, Item], judge: Callable[[Item], Found], unit: str, threads: int) -> list[Found]:
    """What `judge` finds of each item. items: by file name."""
    progress, found = Progress(len(items), unit), []
    with ThreadPoolExecutor(threads) as pool:
        for name, of_item in zip(items, pool.map(judge, items.values()), strict=True):
            found.append(of_item)
            progress.step(name)
    return found


def _reference(path: Path, largest_voxels: int) -> MaskGrid | str:
    """The grid of a mask, or what is wrong with it."""
    try:
        mask = read_mask(path, largest_voxels)
    except UnsoundMask as unsound:
        return str(unsound)
    return MaskGrid(mask.labels.shape, mask.affine, mask.oriented, mask.notes)


def _prediction(item: tuple[Path, OrientedGrid], largest_voxels: int) -> Judgement:
    path, reference = item
    try:
        return Judgement(None, read_prediction(path, reference, largest_voxels).notes)
    except UnsoundMask as unsound:
        return Judgement(str(unsound))
