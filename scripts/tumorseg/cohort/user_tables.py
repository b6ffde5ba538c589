"""Read tables that a user has written, strictly: a mistake in one would falsify every score."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from tumorseg.errors import Message, UserError
from tumorseg.io.tables import parse_rows

MAX_NAMED: Final = 3
"""Offenders that a message names."""


def read_user_table(path: Path, key: str) -> tuple[list[str], list[dict[str, str]]]:
    """The columns of a table, and its rows by column, as written; cells that a short row lacks are empty.

    The file: UTF-8, tab- or comma-separated with a header. key: that of the configuration which names it. Raises
    UserError where it cannot be read or is no such table.
    """
    columns, rows = read_user_rows(path, key)
    short = [""] * len(columns)
    return columns, [dict(zip(columns, cells + short, strict=False)) for _, cells in rows]


def read_user_rows(path: Path, key: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The columns of a table, and its rows as written: the number of the line where each begins, and its cells.

    Rows without any content are left out. See `read_own_table` for the file and for what is raised.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        header, *rows = parse_rows(text, "\t" if "\t" in text.partition("\n")[0] else ",") or [[]]
    except OSError as error:
        raise UserError(f"{path}: cannot read this file ({error.strerror}); correct {key}") from None
    except ValueError as error:
        raise UserError(f"{path}: this is no text table in UTF-8 ({error}); save it as TSV or CSV in UTF-8") from None
    found, line = [], 1 + _line_count(header)
    for cells in rows:
        if any(map(str.strip, cells)):
            found.append((line, cells))
        line += _line_count(cells)
    return [name.strip() for name in header], found


def _line_count(cells: Iterable[str]) -> int:
    return 1 + sum(cell.count("\n") for cell in cells)


def match_spelling(name: str, known: Collection[str]) -> str:
    """A name as written where it is known, else without the blanks around it."""
    return name if name in known else name.strip()


def raise_if_any(where: object, what: Message, offenders: Iterable[str], remedy: Message) -> None:
    """Raise a UserError that names the first of the offenders, if there are any."""
    names: list[Message] = [name or "an empty name" for name in offenders]
    if names:
        more: Message = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        raise UserError(f"{where}: {what}: {', '.join(names[:MAX_NAMED])}{more}; {remedy}")


def with_suggestions(names: Collection[str], known: Iterable[str]) -> list[Message]:
    """Names that are not known, the first of them with what may be meant."""
    few, allowed = list(names), sorted(known)
    close = {name: get_close_matches(name, allowed, n=1) for name in few[:MAX_NAMED]}
    return [f"{name} (did you mean {close[name][0]}?)" if close.get(name) else name for name in few]
