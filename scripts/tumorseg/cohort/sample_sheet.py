"""Read the sample sheet: a user's table of the cases and the paths of their files."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import MASK
from tumorseg.cohort.layouts.synonyms import channels_by_name, simplify_name
from tumorseg.cohort.user_tables import read_user_rows
from tumorseg.errors import Message, UserError
from tumorseg.task import Task

CASE_COLUMN: Final = "case"
PATIENT_COLUMN: Final = "patient"
MASK_COLUMN: Final = "mask"
_KEY: Final = "cohort.samples"
_MAX_CASE_BYTES: Final = 200
"""Most bytes of a case's name: file names have at most 255, with endings and temporary prefixes."""
_MAX_MISTAKES: Final = 5
"""Most mistakes that a message lists; the others are counted."""


@dataclass(frozen=True)
class SampleSheet:
    """The cases of a sample sheet, in its order, and the patients of those that have one."""

    cases: tuple[CaseFiles, ...]
    patients: Mapping[str, str]


def sheet_columns(task: Task) -> tuple[str, ...]:
    """Return all columns of a sample sheet, the optional ones included."""
    return (CASE_COLUMN, PATIENT_COLUMN, *task.channel_names, MASK_COLUMN)


def read_sample_sheet(path: Path, task: Task, schema: Mapping[str, Any]) -> SampleSheet:
    """Read and check a sample sheet. It may list files that do not exist: validation drops their cases.

    Args:
        path: TSV or CSV file. Paths of files in it are relative to its folder, unless they are absolute.
        task: its channels are columns of the sheet.
        schema: content of `workflow/schemas/samples.schema.yaml`.

    Returns:
        The cases and their patients.

    Raises:
        UserError: the file is not a table, has no case, or has an unknown or missing column. Or a line has a cell that
            the schema does not allow, repeats a case, or uses a file for two images. The message names the lines.
    """
    columns, rows = read_user_rows(path, _KEY)
    columns, rows = _without_empty_columns(columns, rows)
    source = f"{_KEY}: {path}"
    _raise_if_mistakes(source, _column_mistakes(columns, task, schema))
    if not rows:
        raise UserError(f"{source}: there are no cases; write one in each line below the header")
    if wrong := [(line, len(cells)) for line, cells in rows if len(cells) != len(columns)]:
        _raise_if_mistakes(source, [_cell_count_mistake(line, count, len(columns)) for line, count in wrong])
    table = [(line, dict(zip(columns, map(str.strip, cells), strict=True))) for line, cells in rows]
    _raise_if_mistakes(source, _cell_mistakes(table, schema))
    _raise_if_mistakes(source, _duplicate_case_mistakes(table))
    _raise_if_mistakes(source, _shared_file_mistakes(table, path.parent, task))
    cases = tuple(CaseFiles(row[CASE_COLUMN], _files_by_role(row, task), None, from_sheet=True) for _, row in table)
    return SampleSheet(cases, {row[CASE_COLUMN]: row[PATIENT_COLUMN] for _, row in table if row.get(PATIENT_COLUMN)})


def require_one_patient_source(sheet: SampleSheet, path: Path, patient: str | None) -> None:
    """Check that only one of the sample sheet and `cohort.patient` names the patients.

    Args:
        sheet: the sample sheet.
        path: path of the sheet, for the message.
        patient: `cohort.patient`, a pattern or a table; None without one.

    Raises:
        UserError: both name the patients.
    """
    if sheet.patients and patient is not None:
        raise UserError(
            f"cohort.patient: {patient} and the column patient of {path} (cohort.samples) both name the patients; "
            "remove one of them"
        )


def patient_source(sheet: SampleSheet | None, path: str | None, patient: str | None) -> str | None:
    """Return the setting that names the patients of all cases; None if they follow from the names of the cases.

    Args:
        sheet: the sample sheet, if there is one. It counts if it names the patient of every case.
        path: `cohort.samples`.
        patient: `cohort.patient`.

    Returns:
        `path` or `patient`, as written by the user.
    """
    if sheet is not None and sheet.patients and len(sheet.patients) == len(sheet.cases):
        return path
    return patient


def read_sheet_patients(path: Path) -> dict[str, str]:
    """Return the patient of each case that has one in a sample sheet checked by `read_sample_sheet`."""
    columns, rows = read_user_rows(path, _KEY)
    table = [dict(zip(columns, map(str.strip, cells), strict=False)) for _, cells in rows]
    return {row[CASE_COLUMN]: row[PATIENT_COLUMN] for row in table if row.get(CASE_COLUMN) and row.get(PATIENT_COLUMN)}


def _without_empty_columns(
    columns: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the table without the empty columns that spreadsheets leave at its end."""
    width = max((position for position, name in enumerate(columns, 1) if name), default=0)
    if any(cell.strip() for _, cells in rows for cell in cells[width : len(columns)]):
        return list(columns), list(rows)
    surplus = slice(width, len(columns))
    return list(columns[:width]), [(line, [*cells[:width], *cells[surplus.stop :]]) for line, cells in rows]


def _column_mistakes(columns: Sequence[str], task: Task, schema: Mapping[str, Any]) -> Iterator[Message]:
    allowed = sheet_columns(task)
    header = f"line 1: the header is {', '.join(columns) or 'empty'}"
    if len(columns) < 2:
        sign = next((words for sign, words in ((";", "semicolons"), ("|", "bars")) if sign in "".join(columns)), None)
        why = f", separated by {sign}" if sign else ""
        yield f"{header}{why}; name the columns {', '.join(allowed)}, separated by tabs or commas"
        return
    for name, count in Counter(columns).items():
        if count > 1:
            yield f"line 1: the column {name or 'without a name'} is there {count} times; keep one"
        elif name not in allowed:
            yield f"line 1: there is no column {name or 'without a name'}{_suggest_column(name, columns, task)}"
    optional = {channel.name for channel in task.channels if channel.optional}
    for name in allowed:
        if name not in columns and (name in schema["required"] or name in task.channel_names) and name not in optional:
            yield f"{header}; add the column {name}"


def _suggest_column(name: str, columns: Sequence[str], task: Task) -> Message:
    allowed = sheet_columns(task)
    known = {**{simplify_name(column): column for column in allowed}, **channels_by_name(task), "seg": MASK_COLUMN}
    close = get_close_matches(simplify_name(name), known, n=1)
    found = known[close[0]] if close else None
    hint = f"; did you mean {found}?" if found and found not in columns else ""
    return f"{hint or ';'} With the task {task.name} the columns are {', '.join(allowed)}: rename or remove it"


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


def _shared_file_mistakes(
    table: Sequence[tuple[int, Mapping[str, str]]], folder: Path, task: Task
) -> Iterator[Message]:
    """Yield files used for two images; for a task with all channels in one file, also cases with several files."""
    one_file = task.channels[0].volume is not None
    first: dict[str, tuple[int, str]] = {}
    for line, row in table:
        of_channels = list(dict.fromkeys(row[name] for name in task.channel_names if row.get(name)))
        if one_file and len(of_channels) > 1:
            yield (
                f"line {line}: {' and '.join(of_channels[:2])} are given for one case, but the task {task.name} has "
                "all channels in one file; write the same path for each channel"
            )
        for name in (*task.channel_names, MASK_COLUMN):
            if cell := row.get(name):
                path = os.path.normpath(folder / os.path.expanduser(cell))  # noqa: PTH111 - as settings do it
                before, role = first.setdefault(path, (line, name))
                if (before, role) != (line, name) and not (one_file and before == line and name != MASK_COLUMN):
                    yield f"line {line}: {cell} is the {name}, but also the {role} of line {before}; correct one"


def _files_by_role(row: Mapping[str, str], task: Task) -> dict[str, tuple[str, ...]]:
    """Return the file of each role that has one."""
    roles = {**{name: name for name in task.channel_names}, MASK: MASK_COLUMN}
    paths = {role: os.path.expanduser(row[name]) for role, name in roles.items() if row.get(name)}  # noqa: PTH111
    return {role: (str(PurePosixPath(paths[role])),) for role in sorted(paths)}


def _raise_if_mistakes(source: str, mistakes: Iterator[Message] | list[Message]) -> None:
    found = list(mistakes)
    if found:
        more = [f"{source}: and {len(found) - _MAX_MISTAKES} more mistakes"] if len(found) > _MAX_MISTAKES else []
        raise UserError("\n".join([*(f"{source}: {mistake}" for mistake in found[:_MAX_MISTAKES]), *more]))
