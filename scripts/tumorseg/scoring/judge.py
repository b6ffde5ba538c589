"""Which masks can be scored: all are read before the first score is taken, so that what is wrong is told at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.regrid import OrientedGrid
from tumorseg.console import Progress
from tumorseg.errors import Message, UserError
from tumorseg.scoring.channels import ChannelFacts
from tumorseg.scoring.masks import Reading, read_mask, read_prediction
from tumorseg.scoring.unsound import UnsoundMask

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class MaskGrid:
    """The grid of a reference, see `cohort.regrid.OrientedGrid`.

    values: of its mask on disk. notes: what a person should know of its file. certain: see `masks.Mask`.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    values: frozenset[int]
    notes: tuple[str, ...]
    certain: bool = False


@dataclass(frozen=True, eq=False)
class Judgement:
    """A prediction.

    reason: why it cannot be scored, or None. systematic: see `UnsoundMask`. values, channels: see `Prediction`. notes:
    what a person should know of its file.
    """

    reason: str | None = None
    systematic: bool = False
    values: frozenset[int] = frozenset()
    channels: ChannelFacts | None = None
    notes: tuple[str, ...] = ()


def reference_grids(folder: Path, files: Mapping[str, str], reading: Reading, threads: int) -> dict[str, MaskGrid]:
    """The grid of each case's reference. files: by case, its path below `folder`.

    Raises UserError, which lists all references that are unsound: the set of them is the user's to mend.
    """
    items = {file: (case, folder / file) for case, file in files.items()}
    found = _each(items, partial(_reference, reading=replace(reading, closely=True)), "checking reference", threads)
    unsound = [f"{file}: {grid}" for file, grid in zip(files.values(), found, strict=True) if isinstance(grid, str)]
    if unsound:
        raise UserError("\n".join([f"score.references: mend or remove what is unsound below {folder}", *unsound]))
    return {case: grid for case, grid in zip(files, found, strict=True) if not isinstance(grid, str)}


def judge_predictions(
    folder: Path, files: Mapping[str, str], grids: Mapping[str, OrientedGrid], reading: Reading, threads: int
) -> dict[str, Judgement]:
    """By case, whether a prediction can be compared with its reference.

    files: by case, its path below `folder`. grids: those of the references.
    """
    items = {file: (case, folder / file, grids[case]) for case, file in files.items()}
    judgements = _each(items, partial(_prediction, reading=reading), "checking prediction", threads)
    return dict(zip(files, judgements, strict=True))


def _each(items: Mapping[str, Item], judge: Callable[[Item], Found], unit: Message, threads: int) -> list[Found]:
    """What `judge` finds of each item. items: by file name."""
    progress, found = Progress(len(items), unit), []
    with ThreadPoolExecutor(threads) as pool:
        for name, of_item in zip(items, pool.map(judge, items.values()), strict=True):
            found.append(of_item)
            progress.step(name)
    return found


def _reference(item: tuple[str, Path], *, reading: Reading) -> MaskGrid | str:
    """The grid of a mask, or what is wrong with it."""
    case, path = item
    try:
        mask = read_mask(path, case, reading)
    except UnsoundMask as unsound:
        return str(unsound)
    return MaskGrid(mask.labels.shape, mask.affine, mask.oriented, mask.values, mask.notes, mask.certain)


def _prediction(item: tuple[str, Path, OrientedGrid], *, reading: Reading) -> Judgement:
    case, path, reference = item
    try:
        prediction = read_prediction(path, case, reference, reading)
    except UnsoundMask as unsound:
        return Judgement(str(unsound), unsound.systematic)
    return Judgement(values=prediction.values, channels=prediction.channels, notes=prediction.notes)
