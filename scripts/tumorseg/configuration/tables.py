"""Tables of a user's own that the configuration names, looked at before they are read."""

from pathlib import Path
from typing import Final

from tumorseg.errors import UserError
from tumorseg.files import require_regular_file

_LARGEST: Final = 100_000_000
"""Bytes; a line for each of 100,000 cases is a twentieth of it."""


def require_table(key: str, file: Path, *, written: Path, rule: str) -> None:
    """Raise UserError where `file`, named by `key`, cannot be a table of the user's own.

    It has to be a regular file of a table's size, and not what `rule` of the workflow writes, `written`.
    """
    try:
        size = require_regular_file(file)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    except OSError:
        raise UserError(f"{key}: there is no file {file}; correct the path, or leave it null") from None
    if size > _LARGEST:
        raise UserError(f"{key}: {file} has {size:,} bytes, too many for a table of cases; correct the path")
    if file.resolve() == written.resolve():
        raise UserError(f"{key}: {file} is what the rule {rule} writes; copy it and give the copy")
