"""Score one folder of predictions, from any tool, against its references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cli.console import logger
from tumorseg.evaluation.mask_validation import (
    PredictionCheck,
    ReferenceGrid,
    find_conventions,
    infer_channel_regions,
    refuse_systematic_errors,
    validate_predictions,
)
from tumorseg.evaluation.masks import MaskReadOptions, read_prediction, read_reference
from tumorseg.evaluation.matching import FolderMatches, MaskPair
from tumorseg.evaluation.scoring import CaseScores, score_cases
from tumorseg.metrics.scores import case_scores, missing_scores

NO_FOLD: Final = -1
"""In the column `fold`: masks from elsewhere belong to none."""


@dataclass(frozen=True)
class MaskFolders:
    """A folder of predictions, the folder of references, and how the masks of each are read."""

    predictions: Path
    references: Path
    prediction_options: MaskReadOptions
    reference_options: MaskReadOptions


@dataclass(frozen=True)
class PairedPredictions:
    """What is scored of a folder.

    pairs: those whose prediction is unusable without it. folders: with the order of channels, where there are any.
    conventions: in which predictions are written. with_channels: cases whose prediction has a channel for each region.
    facts: what summary.json says.
    """

    pairs: Sequence[MaskPair]
    folders: MaskFolders
    conventions: tuple[str, ...]
    with_channels: frozenset[str]
    summary: dict[str, Any]


def pair_predictions(
    matches: FolderMatches, folders: MaskFolders, grids: Mapping[str, ReferenceGrid], threads: int
) -> PairedPredictions:
    """Read all predictions and find which can be scored.

    grids: those of the references. Facts: `missing`: cases without a prediction. `unusable`: case, file and reason.
    `notes` and `reference_notes`: case, file and note, where something had to be done with a mask before it could be
    compared. Raises UserError where the folder as a whole cannot be scored.
    """
    folder, reading = folders.predictions, folders.prediction_options
    there = {pair.case: pair.prediction for pair in matches.pairs if pair.prediction is not None}
    judgements = validate_predictions(folder, there, grids, reading, threads)
    by_file = {there[case]: found for case, found in judgements.items()}
    refuse_systematic_errors(by_file, folder)
    values = {file: found.values for file, found in by_file.items() if found.values}
    conventions = find_conventions(values, reading, "score.predictions", folder)
    reading = replace(reading, regions=infer_channel_regions(by_file, reading, folder))
    reasons = {case: found.reason for case, found in judgements.items() if found.reason is not None}
    notes = [(case, there[case], note) for case, found in judgements.items() for note in _notes(found, reading)]
    missing = [pair.case for pair in matches.pairs if pair.prediction is None]
    for case, reason in reasons.items():
        logger.warning("%s: %s; the case counts as missed", folder / there[case], reason)
    for _, file, note in notes:
        logger.warning("%s: %s", folder / file, note)
    if missing:
        logger.warning("%s: without a prediction, counted as missed: %s", folder, ", ".join(missing))
    if matches.without_reference:
        logger.warning("%s: without a reference, not scored: %s", folder, ", ".join(matches.without_reference))
    pairs = [replace(pair, prediction=None) if pair.case in reasons else pair for pair in matches.pairs]
    of_references = [(pair.case, pair.reference, note) for pair in pairs for note in grids[pair.case].notes]
    facts = {
        "task": reading.task.name,
        "label_map": _json_label_map(reading.task.label_map),
        "reference_label_map": _json_label_map(folders.reference_options.task.label_map),
        "predictions": str(folder),
        "references": len(pairs),
        "missing": missing,
        "unusable": [{"case": case, "file": there[case], "reason": reason} for case, reason in reasons.items()],
        "without_reference": list(matches.without_reference),
        "notes": summary_rows("note", notes),
        "reference_notes": summary_rows("note", of_references),
    }
    with_channels = frozenset(case for case, found in judgements.items() if found.channels is not None)
    return PairedPredictions(
        pairs, replace(folders, prediction_options=reading), tuple(conventions), with_channels, facts
    )


def log_reference_notes(references: Path, files: Mapping[str, str], grids: Mapping[str, ReferenceGrid]) -> None:
    """Log what had to be done with references. files: by case, the path of its reference below `references`."""
    for case, grid in grids.items():
        for note in grid.notes:
            logger.warning("%s: %s", references / files[case], note)


def score_pairs(
    pairs: Sequence[MaskPair], folders: MaskFolders, *, surface_tolerance_mm: float, processes: int
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Table and label pairs (see `score_cases`) of all pairs; a case without a prediction counts as missed."""
    score = partial(_score_pair, folders=folders, surface_tolerance_mm=surface_tolerance_mm)
    return score_cases(pairs, score, processes)


def summary_rows(column: str, found: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Rows of summary.json. found: case, file, and what is said of it."""
    return [{"case": case, "file": file, column: text} for case, file, text in found]


def _notes(found: PredictionCheck, options: MaskReadOptions) -> list[str]:
    of_channels = [found.channels.note(options.regions, options.task)] if found.channels and options.regions else []
    return [*of_channels, *found.notes]


def _json_label_map(label_map: Mapping[int, int] | None) -> dict[str, int] | None:
    """A label map as JSON has it."""
    return None if label_map is None else {str(value): label for value, label in sorted(label_map.items())}


def _score_pair(pair: MaskPair, *, folders: MaskFolders, surface_tolerance_mm: float) -> CaseScores:
    task = folders.reference_options.task
    reference = read_reference(folders.references / pair.reference, pair.case, folders.reference_options)
    if pair.prediction is None:
        return CaseScores(pair.case, NO_FOLD, *missing_scores(reference.labels, reference.spacing_mm, task=task))
    prediction = read_prediction(
        folders.predictions / pair.prediction, pair.case, reference, folders.prediction_options
    )
    scores = case_scores(
        reference.labels,
        prediction.labels,
        reference.spacing_mm,
        task=task,
        surface_tolerance_mm=surface_tolerance_mm,
    )
    return CaseScores(pair.case, NO_FOLD, *scores)
