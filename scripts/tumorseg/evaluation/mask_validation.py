"""Validate all masks, one by one and as a folder, before the first score is computed.

All problems are then reported at once: unreadable masks, mixed label conventions, masks of another task.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorseg.cli.console import Progress, logger
from tumorseg.cohort.other_task import tasks_with_other_meaning
from tumorseg.cohort.regrid import OrientedGrid
from tumorseg.errors import InvalidMaskError, Message, UserError
from tumorseg.evaluation.channels import ChannelStatistics, assign_regions
from tumorseg.evaluation.masks import MaskReadOptions, read_prediction, read_reference
from tumorseg.task.conventions import detect_convention

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class ReferenceGrid:
    """The grid of a reference, see `cohort.regrid.OrientedGrid`.

    values: of its mask on disk. notes: what a person should know of its file. certain: see `masks.Mask`.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    values: frozenset[int]
    notes: tuple[str, ...]
    task_confirmed: bool = False


@dataclass(frozen=True, eq=False)
class PredictionCheck:
    """A prediction.

    reason: why it cannot be scored, or None. systematic: see `UnsoundMask`. values, channels: see `Prediction`. notes:
    what a person should know of its file.
    """

    reason: str | None = None
    systematic: bool = False
    values: frozenset[int] = frozenset()
    channels: ChannelStatistics | None = None
    notes: tuple[str, ...] = ()


def validate_references(
    folder: Path, files: Mapping[str, str], options: MaskReadOptions, threads: int
) -> dict[str, ReferenceGrid]:
    """The grid of each case's reference. files: by case, its path below `folder`.

    Raises UserError, which lists all references that are unsound: the set of them is the user's to mend.
    """
    items = {file: (case, folder / file) for case, file in files.items()}
    found = _map_with_progress(
        items, partial(_check_reference, options=replace(options, check_task_signs=True)), "checking reference", threads
    )
    unsound = [f"{file}: {grid}" for file, grid in zip(files.values(), found, strict=True) if isinstance(grid, str)]
    if unsound:
        raise UserError("\n".join([f"score.references: mend or remove what is unsound below {folder}", *unsound]))
    return {case: grid for case, grid in zip(files, found, strict=True) if not isinstance(grid, str)}


def validate_predictions(
    folder: Path, files: Mapping[str, str], grids: Mapping[str, OrientedGrid], options: MaskReadOptions, threads: int
) -> dict[str, PredictionCheck]:
    """By case, whether a prediction can be compared with its reference.

    files: by case, its path below `folder`. grids: those of the references.
    """
    items = {file: (case, folder / file, grids[case]) for case, file in files.items()}
    judgements = _map_with_progress(items, partial(_check_prediction, options=options), "checking prediction", threads)
    return dict(zip(files, judgements, strict=True))


def _map_with_progress(
    items: Mapping[str, Item], check: Callable[[Item], Found], unit: Message, threads: int
) -> list[Found]:
    """What `judge` finds of each item. items: by file name."""
    progress, found = Progress(len(items), unit), []
    with ThreadPoolExecutor(threads) as pool:
        for name, of_item in zip(items, pool.map(check, items.values()), strict=True):
            found.append(of_item)
            progress.step(name)
    return found


def _check_reference(item: tuple[str, Path], *, options: MaskReadOptions) -> ReferenceGrid | str:
    """The grid of a mask, or what is wrong with it."""
    case, path = item
    try:
        mask = read_reference(path, case, options)
    except InvalidMaskError as unsound:
        return str(unsound)
    return ReferenceGrid(mask.labels.shape, mask.affine, mask.oriented, mask.values, mask.notes, mask.task_confirmed)


def _check_prediction(item: tuple[str, Path, OrientedGrid], *, options: MaskReadOptions) -> PredictionCheck:
    case, path, reference = item
    try:
        prediction = read_prediction(path, case, reference, options)
    except InvalidMaskError as unsound:
        return PredictionCheck(str(unsound), unsound.systematic)
    return PredictionCheck(values=prediction.values, channels=prediction.channels, notes=prediction.notes)


_MAX_SYSTEMATIC_ERRORS: int = 1
"""So many masks may be unusable in a way that concerns all masks of their source; more stop the run."""


def find_conventions(
    values: Mapping[str, frozenset[int]], options: MaskReadOptions, key: str, folder: Path
) -> dict[str, str]:
    """Return the conventions of the masks of a folder, and the first file of each.

    values: on disk, by file. key: of the folder, for messages. Raises UserError where there is more than one and
    `cohort.labels` is not `mixed`: a value that means one thing in some masks would mean another in the rest.
    """
    found: dict[str, str] = {}
    for file, of_file in values.items():
        convention = detect_convention(of_file, options.task, options.labels)
        if convention is not None:
            found.setdefault(convention, file)
    if len(found) < 2:
        return found
    each = " and ".join(f"{file} as {convention}" for convention, file in found.items())
    if options.labels != "mixed":
        raise UserError(
            f"{key}: the masks below {folder} write labels in different ways, {each}; give folders that have one way "
            f"each, convert the masks, or set another cohort.task; if all is as it should be, set cohort.labels: mixed"
        )
    logger.warning("%s: masks write labels in different ways, %s, as cohort.labels: mixed allows", folder, each)
    return found


def check_references(grids: Mapping[str, ReferenceGrid], options: MaskReadOptions, folder: Path) -> None:
    """Raise UserError where the references as a whole are not of one task and convention. grids: by file."""
    _refuse_references_of_other_task(grids, options, folder)
    find_conventions({file: grid.values for file, grid in grids.items()}, options, "score.references", folder)


def _refuse_references_of_other_task(
    grids: Mapping[str, ReferenceGrid], options: MaskReadOptions, folder: Path
) -> None:
    """Raise UserError where references of several conventions write labels in one way of another task.

    What is a cavity there, 4, would be enhancing tumour here. References are left out whose name or image says that
    they are of the task. A label map settles it too: a task with one has a single convention.

    grids: of the references, by file.
    """
    task, found = options.task, dict[str, str]()
    doubtful = {file: grid.values for file, grid in grids.items() if not grid.task_confirmed}
    for file, of_file in doubtful.items():
        if convention := detect_convention(of_file, task, options.labels):
            found.setdefault(convention, file)
    values = sorted(frozenset().union(*doubtful.values()) - {0})
    tasks = tasks_with_other_meaning(task, values)
    if len(found) < 2 or not tasks:
        return
    each = " and ".join(f"{file} as {convention}" for convention, file in found.items())
    labels = {value: label for convention in found for value, label in task.values(convention).items()}
    meant = ", ".join(f"{value}: {labels[value]}" for value in values)
    raise UserError(
        f"score.references: the masks below {folder} write labels in different ways, {each}, or are of another task "
        f"than {task.name}, in which {', '.join(map(str, values))} mean different things: set cohort.task: "
        f"{' or '.join(tasks)}, or, if you are sure, say in cohort.label_map what each value means: {{{meant}}}"
    )


def refuse_systematic_errors(checks: Mapping[str, PredictionCheck], folder: Path) -> None:
    """Raise UserError where several predictions of a folder speak of another scheme. judgements: by file."""
    systematic = [f"{file}: {found.reason}" for file, found in checks.items() if found.systematic]
    if len(systematic) > _MAX_SYSTEMATIC_ERRORS:
        raise UserError("\n".join([f"score.predictions: masks below {folder} are of another kind", *systematic]))


def infer_channel_regions(
    checks: Mapping[str, PredictionCheck], options: MaskReadOptions, folder: Path
) -> tuple[str, ...] | None:
    """Return the region of each channel of those predictions that have channels; None where none has.

    judgements: by file. Raises UserError where the files do not show the order.
    """
    channels = {file: found.channels for file, found in checks.items() if found.channels is not None}
    if not channels:
        return None
    try:
        return assign_regions([facts.overlaps for facts in channels.values()], options.task)
    except InvalidMaskError as unsound:
        files = ", ".join(list(channels)[:3]) + (" …" if len(channels) > 3 else "")
        raise UserError(f"score.predictions: {files} below {folder}: {unsound}") from None
