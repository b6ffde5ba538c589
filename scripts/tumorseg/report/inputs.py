"""All that the report tells of a run, as read from the files that the run wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import Assignment, read_splits
from tumorseg.cohort.verdict import Verdict, read_verdicts
from tumorseg.figures.folds import Fold, read_folds
from tumorseg.files import read_json
from tumorseg.metrics.scores import TEXT_COLUMNS
from tumorseg.report.evidence import read_checked_records
from tumorseg.tables import read_table


@dataclass(frozen=True)
class Results:
    """What a run wrote. manifest: a row per case folder. scores: a row per case and structure.

    predictions: of each fold, how its masks came about.
    """

    manifest: pd.DataFrame
    verdicts: list[Verdict]
    splits: list[Assignment]
    summary: dict[str, Any]
    scores: pd.DataFrame
    folds: list[Fold]
    predictions: list[dict[str, Any]]


def read_results(
    *,
    manifest: Path,
    verdicts: Sequence[Path],
    splits: Path,
    summary: Path,
    scores: Path,
    histories: Sequence[Path],
    selections: Sequence[Path],
    models: Sequence[Path],
    predictions: Sequence[Path],
    settings: Mapping[str, Any],
) -> Results:
    """Read the results of a run; histories, selections, models and predictions are those of fold 0, 1 and so on.

    settings: `prediction` of the configuration. Raises UserError where a file is damaged, and where the predictions are
    not what they should be, see `read_checked_records`.
    """
    assignments = read_splits(splits)
    return Results(
        manifest=read_manifest(manifest),
        verdicts=[verdict for path in verdicts for verdict in read_verdicts(path)],
        splits=assignments,
        summary=read_json(summary),
        scores=read_table(scores, text=TEXT_COLUMNS),
        folds=read_folds(histories, selections),
        predictions=read_checked_records(predictions, models, selections, assignments, settings),
    )
