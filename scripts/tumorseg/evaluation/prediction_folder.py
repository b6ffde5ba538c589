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
from tumorseg.evaluation.masks import (
    MaskReadOptions,
    PredictedMask,
    ReferenceMask,
    read_predicted_mask,
    read_reference,
)
from tumorseg.evaluation.matching import FolderMatches, MaskPair
from tumorseg.evaluation.scoring import CaseScores, score_cases
from tumorseg.evaluation.scoring_2026 import CaseScores2026, ScoredCases2026, score_cases_2026
from tumorseg.metrics.structure_scores import case_scores, missing_scores
from tumorseg.metrics.structure_scores_2026 import case_scores_2026, missing_scores_2026

NO_FOLD: Final = -1
"""Value of the column `fold` for masks that do not belong to a fold of a training."""


@dataclass(frozen=True)
class MaskFolders:
    """The folder of references, a folder of predictions, and how to read the masks of each."""

    references: Path
    predictions: Path
    reference_options: MaskReadOptions
    prediction_options: MaskReadOptions


@dataclass(frozen=True)
class PairedPredictions:
    """The pairs of a folder that are ready to be scored.

    Attributes:
        pairs: one pair per reference. An invalid prediction is None, as a missing one.
        folders: the folders, with the order of the channels if predictions have channels.
        conventions: label conventions of the predictions.
        with_channels: cases whose prediction has one channel per region.
        summary: entries of summary.json about the masks, see `pair_predictions`.
    """

    pairs: Sequence[MaskPair]
    folders: MaskFolders
    conventions: tuple[str, ...]
    with_channels: frozenset[str]
    summary: dict[str, Any]


def pair_predictions(
    matches: FolderMatches, folders: MaskFolders, grids: Mapping[str, ReferenceGrid], threads: int
) -> PairedPredictions:
    """Read all predictions of a folder. Log which cannot be scored, and what was changed in others.

    Args:
        matches: predictions and references by case.
        folders: the folders of these masks.
        grids: grid of the reference of each case.
        threads: number of files to read in parallel.

    Returns:
        The pairs to score. In their summary, `missing` lists the cases without a prediction. `unusable` lists the
        case, file and reason of each invalid prediction. `notes` and `reference_notes` list the case, file and note of
        each mask that was changed before scoring.

    Raises:
        UserError: the folder as a whole cannot be scored. Several predictions have a systematic error, their label
            conventions differ, or their channels cannot be assigned to regions.
    """
    folder, options = folders.predictions, folders.prediction_options
    files = {pair.case: pair.prediction for pair in matches.pairs if pair.prediction is not None}
    checks = validate_predictions(folder, files, grids, options, threads)
    by_file = {files[case]: check for case, check in checks.items()}
    refuse_systematic_errors(by_file, folder)
    values = {file: check.values for file, check in by_file.items() if check.values}
    conventions = find_conventions(values, options, "score.predictions", folder)
    options = replace(options, regions=infer_channel_regions(by_file, options, folder))
    reasons = {case: check.reason for case, check in checks.items() if check.reason is not None}
    notes = [(case, files[case], note) for case, check in checks.items() for note in _notes(check, options)]
    missing = [pair.case for pair in matches.pairs if pair.prediction is None]
    for case, reason in reasons.items():
        logger.warning("%s: %s; the case counts as missed", folder / files[case], reason)
    for _, file, note in notes:
        logger.warning("%s: %s", folder / file, note)
    if missing:
        logger.warning("%s: without a prediction, counted as missed: %s", folder, ", ".join(missing))
    if matches.without_reference:
        logger.warning("%s: without a reference, not scored: %s", folder, ", ".join(matches.without_reference))
    pairs = [replace(pair, prediction=None) if pair.case in reasons else pair for pair in matches.pairs]
    reference_notes = [(pair.case, pair.reference, note) for pair in pairs for note in grids[pair.case].notes]
    summary = {
        "task": options.task.name,
        "label_map": _json_label_map(options.task.label_map),
        "reference_label_map": _json_label_map(folders.reference_options.task.label_map),
        "predictions": str(folder),
        "references": len(pairs),
        "missing": missing,
        "unusable": [{"case": case, "file": files[case], "reason": reason} for case, reason in reasons.items()],
        "without_reference": list(matches.without_reference),
        "notes": summary_rows("note", notes),
        "reference_notes": summary_rows("note", reference_notes),
    }
    with_channels = frozenset(case for case, check in checks.items() if check.channels is not None)
    return PairedPredictions(
        pairs, replace(folders, prediction_options=options), tuple(conventions), with_channels, summary
    )


def log_reference_notes(references: Path, files: Mapping[str, str], grids: Mapping[str, ReferenceGrid]) -> None:
    """Log the notes on references.

    Args:
        references: folder of the references.
        files: path of the reference of each case below `references`.
        grids: the references with their notes, by case.
    """
    for case, grid in grids.items():
        for note in grid.notes:
            logger.warning("%s: %s", references / files[case], note)


def score_pairs(
    pairs: Sequence[MaskPair], folders: MaskFolders, *, surface_tolerance_mm: float, processes: int
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Return the table of scores and the confusion matrices of all pairs, see `score_cases`.

    A case without a prediction gets the worst of each score.

    Args:
        pairs: the masks of each case.
        folders: folders of the masks, and how to read them.
        surface_tolerance_mm: tolerance of the surface Dice.
        processes: number of cases to score in parallel. It does not change the result.
    """
    score = partial(_score_pair, folders=folders, surface_tolerance_mm=surface_tolerance_mm)
    return score_cases(pairs, score, processes)


def score_pairs_2026(pairs: Sequence[MaskPair], folders: MaskFolders, *, processes: int) -> ScoredCases2026:
    """Return the scores of all pairs as in BraTS 2025 and 2026, see `score_cases_2026`.

    A case without a prediction gets the worst of each score.

    Args:
        pairs: the masks of each case.
        folders: folders of the masks, and how to read them.
        processes: number of cases to score in parallel. It does not change the result.
    """
    return score_cases_2026(pairs, partial(_score_pair_2026, folders=folders), processes)


def summary_rows(column: str, rows: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Return rows of case, file and text as summary.json has them, with the text in `column`."""
    return [{"case": case, "file": file, column: text} for case, file, text in rows]


def _notes(check: PredictionCheck, options: MaskReadOptions) -> list[str]:
    channel_notes = [check.channels.note(options.regions, options.task)] if check.channels and options.regions else []
    return [*channel_notes, *check.notes]


def _json_label_map(label_map: Mapping[int, int] | None) -> dict[str, int] | None:
    """Return a label map with text keys, as JSON requires."""
    return None if label_map is None else {str(value): label for value, label in sorted(label_map.items())}


def read_pair(pair: MaskPair, folders: MaskFolders) -> tuple[ReferenceMask, PredictedMask | None]:
    """Return the masks of a case; None for a missing prediction."""
    reference = read_reference(folders.references / pair.reference, pair.case, folders.reference_options)
    if pair.prediction is None:
        return reference, None
    path = folders.predictions / pair.prediction
    return reference, read_predicted_mask(path, pair.case, reference, folders.prediction_options)


def _score_pair_2026(pair: MaskPair, *, folders: MaskFolders) -> CaseScores2026:
    task = folders.reference_options.task
    reference, prediction = read_pair(pair, folders)
    spacing_mm = reference.spacing_mm
    if prediction is None:
        scores = missing_scores_2026(reference.labels, spacing_mm, task=task)
    else:
        scores = case_scores_2026(reference.labels, prediction.labels, spacing_mm, task=task)
    return CaseScores2026(pair.case, NO_FOLD, scores, spacing_mm)


def _score_pair(pair: MaskPair, *, folders: MaskFolders, surface_tolerance_mm: float) -> CaseScores:
    task = folders.reference_options.task
    reference, prediction = read_pair(pair, folders)
    if prediction is None:
        return CaseScores(pair.case, NO_FOLD, *missing_scores(reference.labels, reference.spacing_mm, task=task))
    scores = case_scores(
        reference.labels,
        prediction.labels,
        reference.spacing_mm,
        task=task,
        surface_tolerance_mm=surface_tolerance_mm,
    )
    return CaseScores(pair.case, NO_FOLD, *scores)
