"""The scores of one folder of predictions, from any tool, against its references."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cohort.images import Grid
from tumorseg.console import logger
from tumorseg.metrics.scores import case_scores, missing_scores
from tumorseg.scoring.cases import CaseScores, score_cases
from tumorseg.scoring.judge import unusable_predictions
from tumorseg.scoring.masks import read_mask
from tumorseg.scoring.match import Matches, Pair

NO_FOLD: Final = -1
"""In the column `fold`: masks from elsewhere belong to none."""


def sort_out(matches: Matches, grids: Mapping[str, Grid], threads: int) -> tuple[Sequence[Pair], dict[str, Any]]:
    """The pairs to score, those whose prediction is unusable without it, and what summary.json says of them.

    grids: those of the references. `missing`: cases without a prediction. `unusable`: case, file and reason.
    """
    there = {pair.case: pair.prediction for pair in matches.pairs if pair.prediction is not None}
    reasons = unusable_predictions(matches.folder, there, grids, threads)
    missing = [pair.case for pair in matches.pairs if pair.prediction is None]
    for case, reason in reasons.items():
        logger.warning("%s: %s; the case counts as missed", matches.folder / there[case], reason)
    if missing:
        logger.warning("%s: without a prediction, counted as missed: %s", matches.folder, ", ".join(missing))
    if matches.without_reference:
        names = ", ".join(matches.without_reference)
        logger.warning("%s: without a reference, not scored: %s", matches.folder, names)
    pairs = [replace(pair, prediction=None) if pair.case in reasons else pair for pair in matches.pairs]
    return pairs, {
        "predictions": str(matches.folder),
        "references": len(pairs),
        "missing": missing,
        "unusable": [{"case": case, "file": there[case], "reason": reason} for case, reason in reasons.items()],
        "without_reference": list(matches.without_reference),
    }


def score_pairs(
    pairs: Sequence[Pair], *, predictions: Path, references: Path, surface_tolerance: float, processes: int
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Table and label pairs (see `score_cases`) of all pairs; a case without a prediction counts as missed."""
    score = partial(_score, predictions=predictions, references=references, surface_tolerance=surface_tolerance)
    return score_cases(pairs, score, processes)


def _score(pair: Pair, *, predictions: Path, references: Path, surface_tolerance: float) -> CaseScores:
    reference = read_mask(references / pair.reference)
    if pair.prediction is None:
        return CaseScores(pair.case, NO_FOLD, *missing_scores(reference.labels, reference.spacing))
    prediction = read_mask(predictions / pair.prediction)
    scores = case_scores(prediction.labels, reference.labels, reference.spacing, surface_tolerance)
    return CaseScores(pair.case, NO_FOLD, *scores)
