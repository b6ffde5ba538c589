"""Read the sample sheet: a user's table of the cases and the paths of their files."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import MASK
from tumorseg.cohort.layouts.synonyms import channels_by_name
from tumorseg.cohort.sheet_rows import CASE_COLUMN, SheetForm, raise_if_mistakes, read_sheet_rows
from tumorseg.cohort.user_tables import read_user_rows
from tumorseg.errors import Message, UserError
from tumorseg.task import Task

PATIENT_COLUMN: Final = "patient"
MASK_COLUMN: Final = "mask"
_KEY: Final = "cohort.samples"


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
    table = read_sheet_rows(path, _form(task, schema))
    raise_if_mistakes(f"{_KEY}: {path}", _shared_file_mistakes(table, path.parent, task))
    cases = tuple(CaseFiles(row[CASE_COLUMN], _files_by_role(row, task), None, from_sheet=True) for _, row in table)
    return SampleSheet(cases, {row[CASE_COLUMN]: row[PATIENT_COLUMN] for _, row in table if row.get(PATIENT_COLUMN)})


def _form(task: Task, schema: Mapping[str, Any]) -> SheetForm:
    optional = {channel.name for channel in task.channels if channel.optional}
    columns = sheet_columns(task)
    required = tuple(
        name for name in columns if (name in schema["required"] or name in task.channel_names) and name not in optional
    )
    synonyms = {**channels_by_name(task), "seg": MASK_COLUMN}
    return SheetForm(_KEY, columns, required, synonyms, schema, task.name)


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
