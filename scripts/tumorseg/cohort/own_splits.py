"""A table of the user's own that says which cases are held out: read strictly, since a slip here spoils every score."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import pandas as pd

from tumorseg.cohort.splits import Assignment
from tumorseg.errors import UserError

FEW: Final = 3
"""Offenders that a message names."""


def own_splits(path: Path, table: pd.DataFrame, *, folds: int) -> list[Assignment]:
    """The fold of each usable case of a manifest, sorted by case, as the file says.

    The file: UTF-8, tab- or comma-separated with a header, a column `fold` and a column `case` or, without that,
    `patient`; other columns are ignored, so a table that `write_splits` wrote is one. A fold is 0 to folds - 1, where a
    case is held out, or -1, where it never is.
    Raises UserError where the file is no such table, names something twice or something that the manifest does not
    have, leaves out a usable case, has another fold, parts the cases of a patient, or leaves a side of a fold empty.
    """
    column, rows = _read(path)
    twice = [name for name, count in Counter(name for name, _ in rows).items() if count > 1]
    _refuse(path, f"more than one row for a {column}", twice, "leave one row each")
    allowed = {str(fold): fold for fold in range(-1, folds)}
    wrong = [f"{name} ({fold!r})" for name, fold in rows if fold not in allowed]
    _refuse(path, "a fold that there is not", wrong, _meaning(folds))
    known = set(table[column])
    unknown = [name for name, _ in rows if name not in known]
    hints = [_with_hint(name, sorted(known)) for name in unknown[:FEW]] + unknown[FEW:]
    _refuse(path, f"no such {column} in the cohort", hints, "correct the name or remove the row")

    cases = table[table["usable"]].sort_values("case")
    fold_of = {name: allowed[fold] for name, fold in rows}
    missing = [name for name in cases[column].unique() if name not in fold_of]
    _refuse(path, f"no row for a usable {column}", missing, "add a row each (fold -1: always trained on)")
    splits = [
        Assignment(case, patient, fold_of[name])
        for case, patient, name in zip(cases["case"], cases["patient"], cases[column], strict=True)
    ]
    sides = Counter(patient for patient, _ in {(row.patient, row.fold) for row in splits})
    parted = sorted(patient for patient, count in sides.items() if count > 1)
    _refuse(path, "cases of one patient in different folds", parted, "give all cases of a patient the same fold")
    needed = range(folds) if folds > 1 else (0, -1)
    empty = [f"fold {fold}" for fold in needed if fold not in {row.fold for row in splits}]
    _refuse(path, "no usable case", empty, f"{_meaning(folds)}, and each needs a case")
    return splits


def dropped_names(path: Path, table: pd.DataFrame) -> list[str]:
    """The names in the user's file of which the manifest has no usable case, in the order of the file."""
    column, rows = _read(path)
    usable = set(table.loc[table["usable"], column])
    return [name for name, _ in rows if name not in usable]


def _read(path: Path) -> tuple[str, list[tuple[str, str]]]:
    """The column that names (`case` or `patient`), and name and fold of each row, as written."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
        header, *lines = [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ] or [[]]
    except OSError as error:
        raise UserError(f"{path}: cannot read this file ({error.strerror}); correct cohort.split_file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: this is no text table in UTF-8 ({error}); save it as TSV or CSV in UTF-8") from None
    column = next((name for name in ("case", "patient") if name in header), None)
    if column is None or "fold" not in header:
        raise UserError(
            f"{path}: the header, {', '.join(header) or 'empty'}, needs a column fold and a column case or patient; "
            "name the columns so, separated by tabs or commas"
        )
    short = [""] * len(header)
    filled = [dict(zip(header, line + short, strict=False)) for line in lines if any(line)]
    return column, [(row[column], row["fold"]) for row in filled]


def _refuse(path: Path, what: str, offenders: Iterable[str], remedy: str) -> None:
    """Raise a UserError that names the first of the offenders, if there are any."""
    names = [name or "an empty name" for name in offenders]
    if names:
        more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
        raise UserError(f"{path}: {what}: {', '.join(names[:FEW])}{more}; {remedy}")


def _meaning(folds: int) -> str:
    if folds == 1:
        return "with cohort.folds 1, fold is 0 (held out) or -1 (trained on)"
    return f"with cohort.folds {folds}, fold is 0 to {folds - 1} (held out in that fold) or -1 (always trained on)"


def _with_hint(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"{name} (did you mean {close[0]}?)" if close else name
