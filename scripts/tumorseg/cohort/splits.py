"""The table that says in which fold each case is held out."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import pandas as pd

from tumorseg.errors import UserError
from tumorseg.tables import read_table, write_table


@dataclass(frozen=True)
class Assignment:
    """A case and the fold in which it is held out; -1 where it is in none, so always trained on."""

    case: str
    patient: str
    fold: int


COLUMNS = tuple(field.name for field in fields(Assignment))


def write_splits(path: Path, splits: Iterable[Assignment]) -> None:
    """Write the table as TSV."""
    write_table(path, pd.DataFrame(map(astuple, splits), columns=list(COLUMNS)))


def read_splits(path: Path) -> list[Assignment]:
    """The table that `write_splits` wrote. Raises UserError where the file is no such table."""
    try:
        table = read_table(path)
        rows = zip(table["case"], table["patient"], table["fold"], strict=True)
        return [Assignment(case, patient, int(fold)) for case, patient, fold in rows]
    except (KeyError, ValueError, UserError):
        raise UserError(f"{path}: this is no table of splits ({', '.join(COLUMNS)}); delete it and run again") from None


def held_out(splits: Sequence[Assignment], fold: int) -> list[str]:
    """The cases that are held out in a fold, in the order of the table."""
    return [assignment.case for assignment in splits if assignment.fold == fold]


def trained_on(splits: Sequence[Assignment], fold: int) -> list[str]:
    """The cases that a fold is trained on: all that it does not hold out, in the order of the table."""
    return [assignment.case for assignment in splits if assignment.fold != fold]


def split_digest(training: Iterable[str], held_out: Iterable[str]) -> str:
    """SHA-256 of the cases that a fold is trained on and of those that it holds out, whatever their order."""
    content = json.dumps({"training": sorted(training), "held_out": sorted(held_out)}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def fold_digest(splits: Sequence[Assignment], fold: int) -> str:
    """The `split_digest` of a fold."""
    return split_digest(trained_on(splits, fold), held_out(splits, fold))
