"""Validate all masks, one by one and as a folder, before the first score is computed.

This reports all problems at once: unreadable masks, mixed label conventions, masks of another task.
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
from tumorseg.cohort.mask_grid import OrientedGrid
from tumorseg.cohort.other_task import tasks_with_other_meaning
from tumorseg.errors import InvalidMaskError, Message, UserError
from tumorseg.evaluation.channels import ChannelStatistics, assign_regions
from tumorseg.evaluation.masks import MaskReadOptions, read_predicted_mask, read_reference
from tumorseg.task.conventions import detect_convention

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class ReferenceGrid:
    """The grid of a valid reference, see `cohort.mask_grid.OrientedGrid`, with the values and notes of its file.

    Attributes:
        shape: voxels along each axis.
        affine: voxel indices to patient coordinates in mm, (4, 4).
        oriented: whether the header gives an orientation.
        values: values of the mask on disk.
        notes: notes for users about the file.
        task_confirmed: see `masks.ReferenceMask`.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool
    values: frozenset[int]
    notes: tuple[str, ...]
    task_confirmed: bool = False


@dataclass(frozen=True, eq=False)
class PredictionCheck:
    """The result of checking a prediction.

    Attributes:
        reason: why it cannot be scored; None if it can.
        systematic: see `InvalidMaskError`.
        values: see `masks.PredictedMask`.
        channels: see `masks.PredictedMask`.
        notes: notes for users about the file.
    """

    reason: str | None = None
    systematic: bool = False
    values: frozenset[int] = frozenset()
    channels: ChannelStatistics | None = None
    notes: tuple[str, ...] = ()


def validate_references(
    folder: Path, files: Mapping[str, str], options: MaskReadOptions, threads: int
) -> dict[str, ReferenceGrid]:
    """Return the grid of each reference by case.

    Args:
        folder: folder of the references.
        files: path of the reference of each case below `folder`.
        options: how to read the references.
        threads: number of files to read in parallel.

    Raises:
        UserError: a reference is invalid. The message lists all of them.
    """
    items = {file: (case, folder / file) for case, file in files.items()}
    grids = _map_with_progress(
        items, partial(_check_reference, options=replace(options, check_task_signs=True)), "checking reference", threads
    )
    invalid = [f"{file}: {grid}" for file, grid in zip(files.values(), grids, strict=True) if isinstance(grid, str)]
    if invalid:
        raise UserError("\n".join([f"score.references: repair or remove the invalid masks below {folder}", *invalid]))
    return {case: grid for case, grid in zip(files, grids, strict=True) if not isinstance(grid, str)}


def validate_predictions(
    folder: Path, files: Mapping[str, str], grids: Mapping[str, OrientedGrid], options: MaskReadOptions, threads: int
) -> dict[str, PredictionCheck]:
    """Return for each case whether its prediction can be scored.

    Args:
        folder: folder of the predictions.
        files: path of the prediction of each case below `folder`.
        grids: grid of the reference of each case.
        options: how to read the predictions.
        threads: number of files to read in parallel.
    """
    items = {file: (case, folder / file, grids[case]) for case, file in files.items()}
    checks = _map_with_progress(items, partial(_check_prediction, options=options), "checking prediction", threads)
    return dict(zip(files, checks, strict=True))


def _map_with_progress(
    items: Mapping[str, Item], check: Callable[[Item], Result], unit: Message, threads: int
) -> list[Result]:
    """Return the results of `check` for items by file name, and log the progress."""
    progress, results = Progress(len(items), unit), []
    with ThreadPoolExecutor(threads) as pool:
        for name, result in zip(items, pool.map(check, items.values()), strict=True):
            results.append(result)
            progress.step(name)
    return results


def _check_reference(item: tuple[str, Path], *, options: MaskReadOptions) -> ReferenceGrid | str:
    """Return the grid of a reference, or the reason why it is invalid."""
    case, path = item
    try:
        mask = read_reference(path, case, options)
    except InvalidMaskError as error:
        return str(error)
    return ReferenceGrid(mask.labels.shape, mask.affine, mask.oriented, mask.values, mask.notes, mask.task_confirmed)


def _check_prediction(item: tuple[str, Path, OrientedGrid], *, options: MaskReadOptions) -> PredictionCheck:
    case, path, reference = item
    try:
        prediction = read_predicted_mask(path, case, reference, options)
    except InvalidMaskError as error:
        return PredictionCheck(str(error), error.systematic)
    return PredictionCheck(values=prediction.values, channels=prediction.channels, notes=prediction.notes)


_MAX_SYSTEMATIC_ERRORS: int = 1
"""The run stops if more masks than this have an error that probably affects all masks of their source."""


def find_conventions(
    values: Mapping[str, frozenset[int]], options: MaskReadOptions, key: str, folder: Path
) -> dict[str, str]:
    """Return the label conventions of the masks in a folder, with the first file of each.

    Args:
        values: values on disk by file.
        options: task and `cohort.labels`.
        key: configuration key of the folder, for messages.
        folder: folder of the masks, for messages.

    Raises:
        UserError: there is more than one convention and `cohort.labels` is not `mixed`. The same value would mean
            different labels in different masks.
    """
    conventions: dict[str, str] = {}
    for file, file_values in values.items():
        convention = detect_convention(file_values, options.task, options.labels)
        if convention is not None:
            conventions.setdefault(convention, file)
    if len(conventions) < 2:
        return conventions
    examples = " and ".join(f"{file} as {convention}" for convention, file in conventions.items())
    if options.labels != "mixed":
        raise UserError(
            f"{key}: the masks below {folder} use different label conventions: {examples}; use one folder per "
            "convention, convert the masks, or set another cohort.task; if this is intended, set cohort.labels: mixed"
        )
    logger.warning("%s: masks use different label conventions: %s (cohort.labels: mixed allows this)", folder, examples)
    return conventions


def check_references(grids: Mapping[str, ReferenceGrid], options: MaskReadOptions, folder: Path) -> None:
    """Check that all references are of the task and use one label convention.

    Args:
        grids: grid and values of each reference by file.
        options: how the references were read.
        folder: folder of the references, for messages.

    Raises:
        UserError: the references are of another task, or their label conventions differ and `cohort.labels` is not
            `mixed`.
    """
    _refuse_references_of_other_task(grids, options, folder)
    find_conventions({file: grid.values for file, grid in grids.items()}, options, "score.references", folder)


def _refuse_references_of_other_task(
    grids: Mapping[str, ReferenceGrid], options: MaskReadOptions, folder: Path
) -> None:
    """Raise UserError if the references use several conventions of the task but one convention of another task."""
    # For example, 4 is a resection cavity in another task and would be scored as enhancing tumour here. A task with a
    # label map has a single convention, so the map resolves the doubt.
    task, conventions = options.task, dict[str, str]()
    unconfirmed = {file: grid.values for file, grid in grids.items() if not grid.task_confirmed}
    for file, file_values in unconfirmed.items():
        if convention := detect_convention(file_values, task, options.labels):
            conventions.setdefault(convention, file)
    values = sorted(frozenset().union(*unconfirmed.values()) - {0})
    tasks = tasks_with_other_meaning(task, values)
    if len(conventions) < 2 or not tasks:
        return
    examples = " and ".join(f"{file} as {convention}" for convention, file in conventions.items())
    labels = {value: label for convention in conventions for value, label in task.labels_by_value(convention).items()}
    label_map = ", ".join(f"{value}: {labels[value]}" for value in values)
    raise UserError(
        f"score.references: the masks below {folder} use different label conventions ({examples}), or they are of a "
        f"task other than {task.name}, in which the values {', '.join(map(str, values))} have other meanings: set "
        f"cohort.task: {' or '.join(tasks)}; or, if they are of {task.name}, say in cohort.label_map what each value "
        f"means: {{{label_map}}}"
    )


def refuse_systematic_errors(checks: Mapping[str, PredictionCheck], folder: Path) -> None:
    """Check that no more than one prediction has an error that probably affects the whole folder.

    Args:
        checks: checks of the predictions by file.
        folder: folder of the predictions, for messages.

    Raises:
        UserError: several predictions have a systematic error. The message lists them.
    """
    systematic = [f"{file}: {check.reason}" for file, check in checks.items() if check.systematic]
    if len(systematic) > _MAX_SYSTEMATIC_ERRORS:
        raise UserError("\n".join([f"score.predictions: masks below {folder} do not fit the task", *systematic]))


def infer_channel_regions(
    checks: Mapping[str, PredictionCheck], options: MaskReadOptions, folder: Path
) -> tuple[str, ...] | None:
    """Return the region of each channel of the predictions with channels; None if no prediction has channels.

    Args:
        checks: checks of the predictions by file.
        options: the task.
        folder: folder of the predictions, for messages.

    Raises:
        UserError: the files do not show the order of the channels.
    """
    channels = {file: check.channels for file, check in checks.items() if check.channels is not None}
    if not channels:
        return None
    try:
        return assign_regions([statistics.overlaps for statistics in channels.values()], options.task)
    except InvalidMaskError as error:
        files = ", ".join(list(channels)[:3]) + (" …" if len(channels) > 3 else "")
        raise UserError(f"score.predictions: {files} below {folder}: {error}") from None
