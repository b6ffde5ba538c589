"""Read and write tables: text stays text, numbers stay numbers, and no cell is a formula to a spreadsheet.

UTF-8, a header, a line feed after each row; separated by commas in files named `.csv`, else by tabs. A cell with a
separator, a quote or a line break is quoted as in RFC 4180. A missing value is an empty cell. Text that a spreadsheet
would take for a formula is written with an apostrophe before it, which `read_table` removes.

References:
    OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
import math
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg.errors import UserError
from tumorseg.io.files import write_text

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""Start of the text that gets an apostrophe. Text that has one there already gets another: reading removes one."""
_NUMBER: Final = re.compile(r"[+-][0-9]+(?:\.[0-9]+)?")
"""Text that begins like a formula but is a harmless number, such as a case named -3; it is written unchanged."""
_WHOLE: Final = re.compile(r"-?\d+")

csv.field_size_limit(sys.maxsize)  # the problems of a case may take more than csv's limit of 128 KiB


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table atomically, without its index."""
    separator = _separator(path)
    columns = [[str(name), *table[name]] for name in table]
    rows = zip(*columns, strict=True)
    write_text(path, "".join(separator.join(_cell(value, separator) for value in row) + "\n" for row in rows))


def read_table(path: Path, text_columns: Collection[str] | None = None) -> pd.DataFrame:
    """Return a table written by `write_table`.

    Args:
        path: file of the table.
        text_columns: names of the columns that hold text; the others hold numbers. None if all hold text.

    Raises:
        UserError: the table is missing or corrupted.
    """
    # Columns that are not text hold numbers: int64 if all are whole and none is missing, else float64.
    try:
        content = path.read_bytes().decode("utf-8")
        header, *rows = parse_rows(content, _separator(path))
        if any(len(row) != len(header) for row in rows):
            raise UserError("the number of cells of a row differs from the header's")
        columns = zip(*rows, strict=True) if rows else [()] * len(header)
        return pd.DataFrame(
            {
                name: pd.Series(cells, dtype=str) if text_columns is None or name in text_columns else _numbers(cells)
                for name, cells in zip(header, columns, strict=True)
            }
        )
    except (OSError, OverflowError, ValueError, UserError) as error:
        raise UserError(f"{path}: this table is missing or corrupted ({error}); delete it and run again") from None


def parse_rows(content: str, separator: str) -> list[list[str]]:
    """Return the cells of each row, header first, without the apostrophes of `write_table`.

    Raises:
        ValueError: the content is not a valid table.
    """
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    try:
        return [[cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell for cell in row] for row in reader]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


def _separator(path: Path) -> str:
    return "," if path.suffix == ".csv" else "\t"


def _cell(value: Any, separator: str) -> str:
    if not isinstance(value, str):
        return "" if pd.isna(value) else str(value)
    text = f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value
    return '"' + text.replace('"', '""') + '"' if set(text) & {separator, '"', "\n", "\r"} else text


def _numbers(cells: Collection[str]) -> pd.Series:
    if all(_WHOLE.fullmatch(cell) for cell in cells):
        return pd.Series([int(cell) for cell in cells], dtype="int64")
    return pd.Series([float(cell) if cell else math.nan for cell in cells], dtype="float64")
