"""Which masks can be scored: all are read before the first score is taken, so that what is wrong is told at once."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.images import Grid, same_affine, size_text
from tumorseg.console import Progress
from tumorseg.errors import UserError
from tumorseg.scoring.masks import UnsoundMask, read_mask

Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class MaskGrid:
    """The grid of a mask, see `cohort.images.Grid`."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]


def reference_grids(folder: Path, files: Mapping[str, str], threads: int) -> dict[str, MaskGrid]:
    """The grid of each case's reference. files: by case, its path below `folder`.

    Raises UserError, which lists all references that are unsound: the set of them is the user's to mend.
    """
    found = _each([folder / file for file in files.values()], _grid, "checking reference", threads)
    unsound = [f"{file}: {grid}" for file, grid in zip(files.values(), found, strict=True) if isinstance(grid, str)]
    if unsound:
        raise UserError("\n".join([f"score.references: mend or remove what is unsound below {folder}", *unsound]))
    return {case: grid for case, grid in zip(files, found, strict=True) if not isinstance(grid, str)}


def unusable_predictions(
    folder: Path, files: Mapping[str, str], grids: Mapping[str, Grid], threads: int
) -> dict[str, str]:
    """By case, what is wrong with a prediction that cannot be compared with its reference.

    files: by case, its path below `folder`. grids: those of the references.
    """
    found = _each([folder / file for file in files.values()], _grid, "checking prediction", threads)
    reasons = {case: _mismatch(grid, grids[case]) for case, grid in zip(files, found, strict=True)}
    return {case: reason for case, reason in reasons.items() if reason is not None}


def _each(paths: Sequence[Path], judge: Callable[[Path], Found], unit: str, threads: int) -> list[Found]:
    progress, found = Progress(len(paths), unit), []
    with ThreadPoolExecutor(threads) as pool:
        for path, of_path in zip(paths, pool.map(judge, paths), strict=True):
            found.append(of_path)
            progress.step(path.name)
    return found


def _grid(path: Path) -> MaskGrid | str:
    """The grid of a mask, or what is wrong with it."""
    try:
        mask = read_mask(path)
    except UnsoundMask as unsound:
        return str(unsound)
    return MaskGrid(mask.labels.shape, mask.affine)


def _mismatch(grid: MaskGrid | str, reference: Grid) -> str | None:
    if isinstance(grid, str):
        return grid
    if grid.shape != reference.shape:
        sizes = f"{size_text(grid.shape)}, its reference {size_text(reference.shape)}"
        return f"the mask is {sizes}; resample it to the grid of its reference"
    if not same_affine(grid.affine, reference.affine):
        far = float(np.abs(grid.affine - reference.affine).max())
        return f"the affine differs from its reference's by up to {far:.3g}; resample it to the grid of its reference"
    return None
