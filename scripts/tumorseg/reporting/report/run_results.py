"""Read the results of a run, and verify that each case was predicted by a model that was not trained on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import FoldAssignment, fold_digest, read_splits, validation_cases
from tumorseg.cohort.validation_result import ValidationResult, read_validation_results
from tumorseg.errors import UserError
from tumorseg.inference.records import read_prediction_record, verify_selected_model
from tumorseg.io.files import read_json
from tumorseg.io.tables import read_table
from tumorseg.metrics.structure_scores import TEXT_COLUMNS
from tumorseg.training.fold_results import FoldResult, read_fold_results


def read_verified_records(
    records: Sequence[Path],
    models: Sequence[Path],
    selections: Sequence[Path],
    splits: Sequence[FoldAssignment],
    settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Read and verify the prediction records of all folds.

    Args:
        records: the prediction record of fold 0, 1 and so on.
        models: the model of fold 0, 1 and so on.
        selections: selection.json of fold 0, 1 and so on.
        splits: fold of each case.
        settings: the section `prediction` of the configuration.

    Returns:
        The content of the records.

    Raises:
        UserError: predictions were not made by the selected model, trained on this split, with these settings, for
            exactly the held-out cases of the fold.
    """
    verified = []
    for fold, (path, model, selection) in enumerate(zip(records, models, selections, strict=True)):
        record = read_prediction_record(path, fold)
        compared = {
            "not made by the selected model": (
                record["model"],
                verify_selected_model(model, selection, fold)["digest"],
            ),
            "made by a model of another split": (record["split"], fold_digest(splits, fold)),
            "not made for the held-out cases of this fold": (
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
    """Results of a run.

    Attributes:
        manifest: the manifest, a row for each case folder.
        validation_results: the validation results of all cases.
        splits: fold and patient of each case.
        summary: the content of summary.json.
        scores: the rows of results/evaluation/cases.csv, one for each case and structure.
        reliability: the content of reliability.json.
        scores_2026: the rows of cases_2026.csv; None if the scores of BraTS 2025 and 2026 were not computed.
        summary_2026: the content of summary_2026.json; None without these scores.
        folds: the training results of each fold.
        predictions: the prediction record of each fold.
    """

    manifest: pd.DataFrame
    validation_results: list[ValidationResult]
    splits: list[FoldAssignment]
    summary: dict[str, Any]
    scores: pd.DataFrame
    reliability: dict[str, Any]
    folds: list[FoldResult]
    predictions: list[dict[str, Any]]
    scores_2026: pd.DataFrame | None = None
    summary_2026: dict[str, Any] | None = None


def read_run_results(
    *,
    manifest: Path,
    validation_results: Sequence[Path],
    splits: Path,
    summary: Path,
    scores: Path,
    reliability: Path,
    histories: Sequence[Path],
    selections: Sequence[Path],
    models: Sequence[Path],
    predictions: Sequence[Path],
    settings: Mapping[str, Any],
    challenge_2026: Sequence[Path] = (),
) -> RunResults:
    """Return the results of a run that the report shows.

    Args:
        manifest: the manifest of the cohort.
        validation_results: the validation results of each shard.
        splits: the table of folds.
        summary: summary.json.
        scores: cases.csv.
        reliability: reliability.json.
        histories: history.csv of fold 0, 1 and so on.
        selections: selection.json of fold 0, 1 and so on.
        models: the model of fold 0, 1 and so on.
        predictions: the prediction record of fold 0, 1 and so on.
        settings: the section `prediction` of the configuration.
        challenge_2026: cases_2026.csv and summary_2026.json; empty without these scores.

    Raises:
        UserError: a file is corrupted, or `read_verified_records` refuses the predictions.
    """
    assignments = read_splits(splits)
    return RunResults(
        manifest=read_manifest(manifest),
        validation_results=[result for path in validation_results for result in read_validation_results(path)],
        splits=assignments,
        summary=read_json(summary),
        scores=read_table(scores, text_columns=TEXT_COLUMNS),
        reliability=read_json(reliability),
        folds=read_fold_results(histories, selections),
        predictions=read_verified_records(predictions, models, selections, assignments, settings),
        scores_2026=read_table(challenge_2026[0], text_columns=("case", "region")) if challenge_2026 else None,
        summary_2026=read_json(challenge_2026[1]) if challenge_2026 else None,
    )
