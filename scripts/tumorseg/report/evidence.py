"""Checks that each score is of a mask by a model that was not trained on its case, as the report states."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tumorseg.cohort.splits import Assignment, fold_digest, held_out
from tumorseg.errors import UserError
from tumorseg.inference.recorded import read_record
from tumorseg.inference.selected import check_selected


def read_checked_records(
    records: Sequence[Path],
    models: Sequence[Path],
    selections: Sequence[Path],
    splits: Sequence[Assignment],
    settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The record of each fold's predictions; files are those of fold 0, 1 and so on.

    settings: `prediction` of the configuration. Raises UserError where a fold's predictions were not made by the model
    that its selection names, trained on this split, for exactly the cases that the fold holds out, with these settings.
    """
    checked = []
    for fold, (path, model, selection) in enumerate(zip(records, models, selections, strict=True)):
        record = read_record(path, fold)
        compared = {
            "made by another model than the selected one": (
                record["model"],
                check_selected(model, selection, fold)["digest"],
            ),
            "made by a model of another split": (record["split"], fold_digest(splits, fold)),
            "not those of the cases that this fold holds out": (set(record["cases"]), set(held_out(splits, fold))),
            "made with other settings": (record.get("settings"), settings),
        }
        for wrong, (found, expected) in compared.items():
            if found != expected:
                raise UserError(f"{path}: the predictions of fold {fold} were {wrong}; delete it and run again")
        checked.append(record)
    return checked
