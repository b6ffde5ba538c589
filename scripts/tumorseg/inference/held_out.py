"""Held-out cases of all folds, each with a segmenter whose model was not trained on it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tumorseg.cli.console import Progress, logger
from tumorseg.cohort.splits import FoldAssignment, fold_digest
from tumorseg.errors import UserError
from tumorseg.formatting import format_count
from tumorseg.inference.records import RECORD_FORMAT, mask_path, verify_selected_model
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.digests import file_digest
from tumorseg.io.files import make_folder, write_json
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.model import ModelCard, read_model
from tumorseg.preprocessing.fold_data import held_out_cases
from tumorseg.preprocessing.store import NormalisedCase, read_case
from tumorseg.task import Task
from tumorseg.task.compatibility import describe_other_task


def read_fold_model(
    model: Path, selection: Path, fold: int, *, task: Task, splits: Sequence[FoldAssignment] | None = None
) -> tuple[Network, ModelCard, str]:
    """Read the model of a fold.

    Args:
        model: exported model.
        selection: selection of the fold (selection.json), which names the model.
        fold: number of the fold.
        task: task that the model must have.
        splits: if given, the model must have been trained on this split, so that it has not seen the held-out cases.

    Returns:
        The network, the model's card, and the SHA-256 of the file.

    Raises:
        UserError: the selection does not name this file, or the model is of another task, fold or split.
    """
    digest = str(verify_selected_model(model, selection, fold)["digest"])
    network, card = read_model(model)
    if card.task.facts() != task.facts():
        raise UserError(
            f"{model}: this model is of {describe_other_task(card.task.name, card.task.facts(), task)}; delete it and "
            f"{selection}, and run again"
        )
    if card.fold != fold:
        raise UserError(
            f"{model}: this is the model of fold {card.fold}, not of fold {fold}; delete it and {selection}, and run "
            "again"
        )
    if splits is not None and card.split != fold_digest(splits, fold):
        raise UserError(
            f"{model}: this model was trained on another split, so its training cases may include held-out cases of "
            f"fold {fold}; delete it and {selection.parent}, and run again"
        )
    return network, card, digest


def segment_fold(
    model: tuple[Network, ModelCard, str],
    fold: int,
    cases: Mapping[str, Path],
    folder: Path,
    record: Path,
    *,
    execution: Execution,
    section: Mapping[str, Any],
) -> None:
    """Segment the held-out cases of a fold on their original grids. Write the masks, and a record of them.

    Logs a warning about cases with channels that the model was not trained for; the record lists them.

    Args:
        model: network and card of a model that was not trained on the cases, and the SHA-256 of its file.
        fold: number of the fold.
        cases: normalised file of each case.
        folder: folder of masks to make.
        record: file to write, JSON: how each mask was made, and its digest.
        execution: device and precision.
        section: `prediction` section of the configuration.
    """
    network, card, digest = model
    segmenter = Segmenter([network], execution, section, task=card.task)
    make_folder(folder)
    progress, made, unlike = Progress(len(cases), "case"), {}, []
    for name, path in cases.items():
        case = read_case(path)
        facts = segmenter.segment(folder, case.image, case.origin, card.convention, card.mark).record()
        made[name] = {**facts, "digest": file_digest(mask_path(folder, name))}
        unlike += [] if card.trained_on.includes(case.origin.intensities) else [name]
        progress.step(name)
    if unlike:
        logger.warning(
            "the model of fold %d was not trained for the images of %s, such as %s: some are missing, or no training "
            "case had them, so the scores may be low; train with `training.channel_dropout`, put cases with the same "
            "images into the training (`cohort.split_file`), or remove the images that no training case had",
            fold,
            format_count(len(unlike), "held-out case"),
            unlike[0],
        )
    content = {"format": RECORD_FORMAT, "fold": fold, "model": digest, "split": card.split, "settings": section}
    write_json(record, {**content, "cases": made, "untrained_channels": unlike})


def iterate_held_out_cases(
    models: Sequence[tuple[Path, Path, Path]],
    normalised: Sequence[Path],
    splits: Sequence[FoldAssignment],
    execution: Execution,
    section: Mapping[str, Any],
    *,
    task: Task,
) -> Iterator[tuple[int, NormalisedCase, Segmenter]]:
    """Yield the held-out cases of each fold.

    Args:
        models: for each fold in order, the exported model, its selection, and the data of the fold.
        normalised: folders of normalised cases.
        splits: fold of each case.
        execution: device and precision.
        section: `prediction` section of the configuration.
        task: task of the models.

    Yields:
        The fold, the case with its volumes on the cropped grid, and a segmenter with the model of the fold.

    Raises:
        UserError: a model or a normalised case is invalid, see `read_fold_model` and `held_out_cases`.
    """
    cases = [held_out_cases(normalised, data, splits, fold) for fold, (_, _, data) in enumerate(models)]
    progress = Progress(sum(map(len, cases)), "case")
    for fold, (model, selection, _) in enumerate(models):
        network, _, _ = read_fold_model(model, selection, fold, task=task, splits=splits)
        segmenter = Segmenter([network], execution, section, task=task)
        for name, path in cases[fold].items():
            yield fold, read_case(path, with_cropped=True), segmenter
            progress.step(name)
