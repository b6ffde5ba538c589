"""A table of the user's own that says which cases are held out: read strictly, since a slip here spoils every score."""

from collections import Counter
from pathlib import Path

import pandas as pd

from tumorseg.cohort.own_tables import read_own_table, refuse, spelled, with_hints
from tumorseg.cohort.splits import Assignment
from tumorseg.errors import Message, UserError


def own_splits(path: Path, table: pd.DataFrame, *, folds: int) -> list[Assignment]:
    """The fold of each usable case of a manifest, sorted by case, as the file says.

    The file: UTF-8, tab- or comma-separated with a header, a column `fold` and a column `case` or, without that,
    `patient`; other columns are ignored, so a table that `write_splits` wrote is one. A fold is 0 to folds - 1, where a
    case is held out, or -1, where it never is.
    Raises UserError where the file is no such table, names something twice or something that the manifest does not
    have, leaves out a usable case, has another fold, parts the cases of a patient, or leaves a side of a fold empty.
    """
    column, rows = _read(path, table)
    twice = [name for name, count in Counter(name for name, _ in rows).items() if count > 1]
    refuse(path, f"more than one row for a {column}", twice, "leave one row each")
    allowed = {str(fold): fold for fold in range(-1, folds)}
    wrong = [f"{name} ({fold!r})" for name, fold in rows if fold not in allowed]
    refuse(path, "a fold that there is not", wrong, _meaning(folds))
    known = set(table[column])
    unknown = [name for name, _ in rows if name not in known]
    hints = with_hints(unknown, known)
    refuse(path, f"no such {column} in the cohort", hints, "correct the name or remove the row")

    cases = table[table["usable"]].sort_values("case")
    fold_of = {name: allowed[fold] for name, fold in rows}
    missing = [name for name in cases[column].unique() if name not in fold_of]
    refuse(path, f"no row for a usable {column}", missing, "add a row each (fold -1: always trained on)")
    splits = [
        Assignment(case, patient, fold_of[name])
        for case, patient, name in zip(cases["case"], cases["patient"], cases[column], strict=True)
    ]
    sides = Counter(patient for patient, _ in {(row.patient, row.fold) for row in splits})
    parted = sorted(patient for patient, count in sides.items() if count > 1)
    refuse(path, "cases of one patient in different folds", parted, "give all cases of a patient the same fold")
    needed = range(folds) if folds > 1 else (0, -1)
    empty: list[Message] = [f"fold {fold}" for fold in needed if fold not in {row.fold for row in splits}]
    refuse(path, "no usable case", empty, f"{_meaning(folds)}, and each needs a case")
    return splits


def dropped_names(path: Path, table: pd.DataFrame) -> list[str]:
    """The names in the user's file of which the manifest has no usable case, in the order of the file."""
    column, rows = _read(path, table)
    usable = set(table.loc[table["usable"], column])
    return [name for name, _ in rows if name not in usable]


def _read(path: Path, table: pd.DataFrame) -> tuple[str, list[tuple[str, str]]]:
    """The column that names (`case` or `patient`), and name and fold of each row."""
    columns, rows = read_own_table(path, "cohort.split_file")
    column = next((name for name in ("case", "patient") if name in columns), None)
    if column is None or "fold" not in columns:
        raise UserError(
            f"{path}: the header, {', '.join(columns) or 'empty'}, needs a column fold and a column case or patient; "
            "name the columns so, separated by tabs or commas"
        )
    known = set(table[column])
    return column, [(spelled(row[column], known), row["fold"].strip()) for row in rows]


def _meaning(folds: int) -> Message:
    if folds == 1:
        return "with cohort.folds 1, fold is 0 (held out) or -1 (trained on)"
    return f"with cohort.folds {folds}, fold is 0 to {folds - 1} (held out in that fold) or -1 (always trained on)"
