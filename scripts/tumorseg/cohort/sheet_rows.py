"""Read the rows of a user's sheet of cases strictly: columns, cells and names of cases are checked."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.layouts.synonyms import simplify_name
from tumorseg.cohort.user_tables import read_user_rows
from tumorseg.errors import Message, UserError

CASE_COLUMN: Final = "case"
_MAX_CASE_BYTES: Final = 200
"""Most bytes of a case's name: file names have at most 255, with endings and temporary prefixes."""
_MAX_MISTAKES: Final = 5
"""Most mistakes that a message lists; the others are counted."""


@dataclass(frozen=True)
class SheetForm:
    """What a sheet may contain.

    Attributes:
        key: configuration key that names the sheet, for messages.
        columns: all columns that it may have.
        required: columns that it must have.
        synonyms: the column of each simplified name that may mean one, for suggestions.
        schema: JSON schema of a row; `additionalProperties` describes the columns that `properties` does not list.
        task: name of the task, for messages.
    """

    key: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    synonyms: Mapping[str, str]
    schema: Mapping[str, Any]
    task: str


def read_sheet_rows(path: Path, form: SheetForm) -> list[tuple[int, dict[str, str]]]:
    """Read and check the rows of a sheet.

    Args:
        path: TSV or CSV file.
        form: what the sheet may contain.

    Returns:
        The line of each row, and its cells by column, without blanks around them.

    Raises:
        UserError: the file is not a table, has no case, or has an unknown or missing column. Or a line has a cell that
            the schema does not allow, or repeats a case. The message names the lines.
    """
    columns, rows = read_user_rows(path, form.key)
    columns, rows = _without_empty_columns(columns, rows)
    source = f"{form.key}: {path}"
    raise_if_mistakes(source, _column_mistakes(columns, form))
    if not rows:
        raise UserError(f"{source}: there are no cases; write one in each line below the header")
    if wrong := [(line, len(cells)) for line, cells in rows if len(cells) != len(columns)]:
        raise_if_mistakes(source, [_cell_count_mistake(line, count, len(columns)) for line, count in wrong])
    table = [(line, dict(zip(columns, map(str.strip, cells), strict=True))) for line, cells in rows]
    raise_if_mistakes(source, _cell_mistakes(table, form.schema))
    raise_if_mistakes(source, _duplicate_case_mistakes(table))
    return table


def raise_if_mistakes(source: str, mistakes: Iterable[Message]) -> None:
    """Check that a sheet has no mistakes.

    Args:
        source: configuration key and path of the sheet, for the message.
        mistakes: the mistakes in words.

    Raises:
        UserError: there is at least one mistake; the message has the first ones, each in its line.
    """
    found = list(mistakes)
    if found:
        more = [f"{source}: and {len(found) - _MAX_MISTAKES} more mistakes"] if len(found) > _MAX_MISTAKES else []
        raise UserError("\n".join([*(f"{source}: {mistake}" for mistake in found[:_MAX_MISTAKES]), *more]))


def _without_empty_columns(
    columns: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the table without the empty columns that spreadsheets leave at its end."""
    width = max((position for position, name in enumerate(columns, 1) if name), default=0)
    if any(cell.strip() for _, cells in rows for cell in cells[width : len(columns)]):
        return list(columns), list(rows)
    surplus = slice(width, len(columns))
    return list(columns[:width]), [(line, [*cells[:width], *cells[surplus.stop :]]) for line, cells in rows]


def _column_mistakes(columns: Sequence[str], form: SheetForm) -> Iterator[Message]:
    header = f"line 1: the header is {', '.join(columns) or 'empty'}"
    if len(columns) < 2:
        sign = next((words for sign, words in ((";", "semicolons"), ("|", "bars")) if sign in "".join(columns)), None)
        why = f", separated by {sign}" if sign else ""
        yield f"{header}{why}; name the columns {', '.join(form.columns)}, separated by tabs or commas"
        return
    for name, count in Counter(columns).items():
        if count > 1:
            yield f"line 1: the column {name or 'without a name'} is there {count} times; keep one"
        elif name not in form.columns:
            yield f"line 1: there is no column {name or 'without a name'}{_suggest_column(name, columns, form)}"
    for name in form.required:
        if name not in columns:
            yield f"{header}; add the column {name}"


def _suggest_column(name: str, columns: Sequence[str], form: SheetForm) -> Message:
    known = {**{simplify_name(column): column for column in form.columns}, **form.synonyms}
    close = get_close_matches(simplify_name(name), known, n=1)
    found = known[close[0]] if close else None
    hint = f"; did you mean {found}?" if found and found not in columns else ""
    return f"{hint or ';'} With the task {form.task} the columns are {', '.join(form.columns)}: rename or remove it"


def _cell_count_mistake(line: int, count: int, wanted: int) -> Message:
    return (
        f"line {line}: there are {count} cells, but the header has {wanted}; leave unknown cells empty, use the "
        "header's separator, and put cells that contain a separator in quotes"
    )


def _cell_mistakes(table: Sequence[tuple[int, Mapping[str, str]]], schema: Mapping[str, Any]) -> Iterator[Message]:
    parts = {name: schema["properties"].get(name, schema["additionalProperties"]) for name in table[0][1]}
    patterns = {name: re.compile(part["pattern"]) for name, part in parts.items()}
    for line, row in table:
        for name, cell in row.items():
            if not patterns[name].search(cell):
                yield f"line {line}: the {name} {cell!r} is not allowed; it has to be {parts[name]['description']}"
        if (size := len(row[CASE_COLUMN].encode())) > _MAX_CASE_BYTES:
            yield (
                f"line {line}: the case {row[CASE_COLUMN]} has {size} bytes in UTF-8, too many for the names of its "
                f"files; shorten it to {_MAX_CASE_BYTES}"
            )


def _duplicate_case_mistakes(table: Sequence[tuple[int, Mapping[str, str]]]) -> Iterator[Message]:
    """Yield cases listed twice, in any letter case or Unicode form of é: many disks do not distinguish them."""
    first: dict[str, int] = {}
    for line, row in table:
        before = first.setdefault(unicodedata.normalize("NFC", row[CASE_COLUMN].casefold()), line)
        if before != line:
            yield f"line {line}: the case {row[CASE_COLUMN]} is in line {before} already; rename or remove one"
