"""The scores of one folder of predictions, from any tool, against its references."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cohort.header import LARGEST_VOXELS
from tumorseg.console import logger
from tumorseg.metrics.scores import case_scores, missing_scores
from tumorseg.scoring.cases import CaseScores, score_cases
from tumorseg.scoring.judge import MaskGrid, judge_predictions
from tumorseg.scoring.masks import read_mask, read_prediction
from tumorseg.scoring.match import Matches, Pair
from tumorseg.scoring.orientation_hint import may_have_a_hint, orientation_hint
from tumorseg.task import Task

NO_FOLD: Final = -1
"""In the column `fold`: masks from elsewhere belong to none."""


def sort_out(
    matches: Matches, grids: Mapping[str, MaskGrid], threads: int, largest_voxels: int = LARGEST_VOXELS
) -> tuple[Sequence[Pair], dict[str, Any]]:
    """The pairs to score, those whose prediction is unusable without it, and what summary.json says of them.

    grids: those of the references. `missing`: cases without a prediction. `unusable`: case, file and reason. `notes`
    and `reference_notes`: case, file and note, where something had to be done with a mask before it could be compared.
    largest_voxels: see `read_volume`.
    """
    there = {pair.case: pair.prediction for pair in matches.pairs if pair.prediction is not None}
    judgements = judge_predictions(matches.folder, there, grids, threads, largest_voxels)
    reasons = {case: found.reason for case, found in judgements.items() if found.reason is not None}
    notes = [(case, there[case], note) for case, found in judgements.items() for note in found.notes]
    missing = [pair.case for pair in matches.pairs if pair.prediction is None]
    for case, reason in reasons.items():
        logger.warning("%s: %s; the case counts as missed", matches.folder / there[case], reason)
    for _, file, note in notes:
        logger.warning("%s: %s", matches.folder / file, note)
    if missing:
        logger.warning("%s: without a prediction, counted as missed: %s", matches.folder, ", ".join(missing))
    if matches.without_reference:
        names = ", ".join(matches.without_reference)
        logger.warning("%s: without a reference, not scored: %s", matches.folder, names)
    pairs = [replace(pair, prediction=None) if pair.case in reasons else pair for pair in matches.pairs]
    of_references = [(pair.case, pair.reference, note) for pair in pairs for note in grids[pair.case].notes]
    return pairs, {
        "predictions": str(matches.folder),
        "references": len(pairs),
        "missing": missing,
        "unusable": [{"case": case, "file": there[case], "reason": reason} for case, reason in reasons.items()],
        "without_reference": list(matches.without_reference),
        "notes": _as_rows("note", notes),
        "reference_notes": _as_rows("note", of_references),
    }


def log_reference_notes(references: Path, files: Mapping[str, str], grids: Mapping[str, MaskGrid]) -> None:
    """Log what had to be done with references. files: by case, the path of its reference below `references`."""
    for case, grid in grids.items():
        for note in grid.notes:
            logger.warning("%s: %s", references / files[case], note)


def score_pairs(
    pairs: Sequence[Pair],
    *,
    predictions: Path,
    references: Path,
    task: Task,
    surface_tolerance_mm: float,
    processes: int,
    largest_voxels: int = LARGEST_VOXELS,
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Table and label pairs (see `score_cases`) of all pairs; a case without a prediction counts as missed."""
    score = partial(
        _score,
        predictions=predictions,
        references=references,
        task=task,
        surface_tolerance_mm=surface_tolerance_mm,
        largest_voxels=largest_voxels,
    )
    return score_cases(pairs, score, processes)


def find_hints(
    pairs: Sequence[Pair],
    table: pd.DataFrame,
    *,
    predictions: Path,
    references: Path,
    threads: int,
    largest_voxels: int = LARGEST_VOXELS,
) -> list[dict[str, str]]:
    """Case, file and hint where a mirrored or transposed copy of a prediction would fit far better; each is logged.

    table: the scores of the pairs. Only masks whose whole-tumour Dice leaves room for it are read again.
    """
    dice = table[table["region"] == "WT"].set_index("case")["dice"]
    doubtful = [pair for pair in pairs if pair.prediction is not None and may_have_a_hint(dice[pair.case])]
    hint = partial(_hint, predictions=predictions, references=references, largest_voxels=largest_voxels)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(hint, doubtful))
    hints = [(pair.case, pair.prediction or "", said) for pair, said in zip(doubtful, found, strict=True) if said]
    for _, file, said in hints:
        logger.warning("%s: %s", predictions / file, said)
    return _as_rows("hint", hints)


def _hint(pair: Pair, *, predictions: Path, references: Path, largest_voxels: int) -> str | None:
    reference = read_mask(references / pair.reference, largest_voxels)
    prediction = read_prediction(predictions / str(pair.prediction), reference, largest_voxels)
    hint = orientation_hint(prediction.labels, reference.labels, reference.affine)
    return hint.message() if hint else None


def _as_rows(what: str, found: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [{"case": case, "file": file, what: text} for case, file, text in found]


def _score(
    pair: Pair, *, predictions: Path, references: Path, task: Task, surface_tolerance_mm: float, largest_voxels: int
) -> CaseScores:
    reference = read_mask(references / pair.reference, largest_voxels)
    if pair.prediction is None:
        return CaseScores(pair.case, NO_FOLD, *missing_scores(reference.labels, reference.spacing, task=task))
    prediction = read_prediction(predictions / pair.prediction, reference, largest_voxels)
    scores = case_scores(
        reference.labels,
        prediction.labels,
        reference.spacing,
        task=task,
        surface_tolerance_mm=surface_tolerance_mm,
    )
    return CaseScores(pair.case, NO_FOLD, *scores)
