"""Read tables written by users, strictly: a mistake in one would falsify every score."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from tumorseg.errors import Message, UserError
from tumorseg.io.tables import parse_rows

MAX_NAMED: Final = 3
"""Most names that a message lists."""


def read_user_table(path: Path, key: str) -> tuple[list[str], list[dict[str, str]]]:
    """Read a table into its columns and rows.

    Args:
        path: table in UTF-8, with tabs or commas and a header.
        key: configuration key that names the file, for messages.

    Returns:
        The columns, and each row as cells by column; missing cells at the end of a row are empty.

    Raises:
        UserError: the file cannot be read or is not a table.
    """
    columns, rows = read_user_rows(path, key)
    short = [""] * len(columns)
    return columns, [dict(zip(columns, cells + short, strict=False)) for _, cells in rows]


def read_user_rows(path: Path, key: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a table into its columns and numbered rows; rows without content are skipped.

    Args:
        path: table in UTF-8, with tabs or commas and a header.
        key: configuration key that names the file, for messages.

    Returns:
        The columns, and for each row the number of its first line and its cells.

    Raises:
        UserError: the file cannot be read or is not a table.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        header, *rows = parse_rows(text, "\t" if "\t" in text.partition("\n")[0] else ",") or [[]]
    except OSError as error:
        raise UserError(f"{path}: cannot read this file ({error.strerror}); correct {key}") from None
    except ValueError as error:
        raise UserError(f"{path}: this is not a UTF-8 text table ({error}); save it as TSV or CSV in UTF-8") from None
    found, line = [], 1 + _line_count(header)
    for cells in rows:
        if any(map(str.strip, cells)):
            found.append((line, cells))
        line += _line_count(cells)
    return [name.strip() for name in header], found


def _line_count(cells: Iterable[str]) -> int:
    return 1 + sum(cell.count("\n") for cell in cells)


def match_spelling(name: str, known: Collection[str]) -> str:
    """Return a name unchanged if it is known, else without surrounding blanks."""
    return name if name in known else name.strip()


def raise_if_any(where: object, what: Message, offenders: Iterable[str], remedy: Message) -> None:
    """Check that a list of names with a mistake is empty.

    Args:
        where: the table or setting with the mistake.
        what: the mistake in words.
        offenders: the names with the mistake; the message lists the first ones.
        remedy: what to do, in words.

    Raises:
        UserError: there is at least one offender.
    """
    names: list[Message] = [name or "an empty name" for name in offenders]
    if names:
        more: Message = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        raise UserError(f"{where}: {what}: {', '.join(names[:MAX_NAMED])}{more}; {remedy}")


def with_suggestions(names: Collection[str], known: Iterable[str]) -> list[Message]:
    """Return the unknown names, the first ones with a similar known name as suggestion."""
    few, allowed = list(names), sorted(known)
    close = {name: get_close_matches(name, allowed, n=1) for name in few[:MAX_NAMED]}
    return [f"{name} (did you mean {close[name][0]}?)" if close.get(name) else name for name in few]
