"""Read the results of a run, and check that each score belongs to a mask of a model not trained on its case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import FoldAssignment, fold_digest, read_splits, validation_cases
from tumorseg.cohort.validation_result import ValidationResult, read_validation_results
from tumorseg.errors import UserError
from tumorseg.inference.records import read_prediction_record, verify_selection
from tumorseg.io.files import read_json
from tumorseg.io.tables import read_table
from tumorseg.metrics.scores import TEXT_COLUMNS
from tumorseg.training.fold_results import FoldResult, read_fold_results


def read_verified_records(
    records: Sequence[Path],
    models: Sequence[Path],
    selections: Sequence[Path],
    splits: Sequence[FoldAssignment],
    settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The record of each fold's predictions; files are those of fold 0, 1 and so on.

    settings: `prediction` of the configuration. Raises UserError where a fold's predictions were not made by the model
    that its selection names, trained on this split, for exactly the cases that the fold holds out, with these settings.
    """
    verified = []
    for fold, (path, model, selection) in enumerate(zip(records, models, selections, strict=True)):
        record = read_prediction_record(path, fold)
        compared = {
            "made by another model than the selected one": (
                record["model"],
                verify_selection(model, selection, fold)["digest"],
            ),
            "made by a model of another split": (record["split"], fold_digest(splits, fold)),
            "not those of the cases that this fold holds out": (
                set(record["cases"]),
                set(validation_cases(splits, fold)),
            ),
            "made with other settings": (record.get("settings"), settings),
        }
        for problem, (found, expected) in compared.items():
            if found != expected:
                raise UserError(f"{path}: the predictions of fold {fold} were {problem}; delete it and run again")
        verified.append(record)
    return verified


@dataclass(frozen=True)
class RunResults:
    """What a run wrote. manifest: a row per case folder. scores: a row per case and structure.

    predictions: of each fold, how its masks came about.
    """

    manifest: pd.DataFrame
    verdicts: list[ValidationResult]
    splits: list[FoldAssignment]
    summary: dict[str, Any]
    scores: pd.DataFrame
    folds: list[FoldResult]
    predictions: list[dict[str, Any]]


def read_run_results(
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
) -> RunResults:
    """Read the results of a run; histories, selections, models and predictions are those of fold 0, 1 and so on.

    settings: `prediction` of the configuration. Raises UserError where a file is damaged, and where the predictions are
    not what they should be, see `read_checked_records`.
    """
    assignments = read_splits(splits)
    return RunResults(
        manifest=read_manifest(manifest),
        verdicts=[verdict for path in verdicts for verdict in read_validation_results(path)],
        splits=assignments,
        summary=read_json(summary),
        scores=read_table(scores, text_columns=TEXT_COLUMNS),
        folds=read_fold_results(histories, selections),
        predictions=read_verified_records(predictions, models, selections, assignments, settings),
    )
