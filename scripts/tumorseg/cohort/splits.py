"""The table that says in which fold each case is held out."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tumorseg.errors import UserError
from tumorseg.files import write_text


@dataclass(frozen=True)
class Assignment:
    """A case and the fold in which it is held out; -1 where it is in none, so always trained on."""

    case: str
    patient: str
    fold: int


COLUMNS = tuple(field.name for field in fields(Assignment))


def write_splits(path: Path, splits: Iterable[Assignment]) -> None:
    """Write the table as TSV."""
    rows = [COLUMNS, *map(astuple, splits)]
    write_text(path, "".join("\t".join(map(str, row)) + "\n" for row in rows))


def read_splits(path: Path) -> list[Assignment]:
    """The table that `write_splits` wrote. Raises UserError where the file is no such table."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            return [Assignment(row["case"], row["patient"], int(row["fold"])) for row in rows]
    except (OSError, KeyError, TypeError, ValueError):
        raise UserError(f"{path}: this is no table of splits ({', '.join(COLUMNS)}); delete it and run again") from None


def held_out(splits: Sequence[Assignment], fold: int) -> list[str]:
    """The cases that are held out in a fold, in the order of the table."""
    return [assignment.case for assignment in splits if assignment.fold == fold]


def trained_on(splits: Sequence[Assignment], fold: int) -> list[str]:
    """The cases that a fold is trained on: all that it does not hold out, in the order of the table."""
    return [assignment.case for assignment in splits if assignment.fold != fold]
