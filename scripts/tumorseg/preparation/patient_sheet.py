"""Read the sample sheet of new patients: a user's table of the image of each channel."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.layouts.synonyms import channels_by_name
from tumorseg.cohort.sheet_rows import CASE_COLUMN, SheetForm, raise_if_mistakes, read_sheet_rows
from tumorseg.errors import Message
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.task import Task

PATIENT_COLUMN: Final = "patient"
DATE_COLUMN: Final = "date"
_KEY: Final = "segment.samples"


def patient_sheet_columns(task: Task) -> tuple[str, ...]:
    """Return all columns that a sample sheet of new patients may have; only `case` is required."""
    return (CASE_COLUMN, PATIENT_COLUMN, DATE_COLUMN, *task.channel_names)


def read_patient_sheet(path: Path, task: Task, schema: Mapping[str, Any]) -> list[PatientSource]:
    """Read and check a sample sheet of new patients. It may list files that do not exist: conversion reports them.

    Args:
        path: TSV or CSV file. Paths in it are relative to its folder, unless they are absolute.
        task: its channels are columns of the sheet.
        schema: content of `workflow/schemas/patients.schema.yaml`.

    Returns:
        The patients, in the order of the sheet.

    Raises:
        UserError: see `read_sheet_rows`; also if a line has a date that does not exist or names no image, or a
            file is used for two images.
    """
    form = SheetForm(_KEY, patient_sheet_columns(task), (CASE_COLUMN,), channels_by_name(task), schema, task.name)
    table = read_sheet_rows(path, form)
    raise_if_mistakes(f"{_KEY}: {path}", [*_date_mistakes(table), *_image_mistakes(table, path.parent, task)])
    return [
        PatientSource(
            row[CASE_COLUMN],
            "sheet",
            "",
            channels={name: os.path.expanduser(row[name]) for name in task.channel_names if row.get(name)},  # noqa: PTH111
            patient=row.get(PATIENT_COLUMN) or None,
            date=row.get(DATE_COLUMN) or None,
        )
        for _, row in table
    ]


def _date_mistakes(table: Sequence[tuple[int, Mapping[str, str]]]) -> Iterator[Message]:
    """Yield dates that no calendar has; the schema has checked their form."""
    for line, row in table:
        if text := row.get(DATE_COLUMN):
            try:
                date.fromisoformat(text)
            except ValueError:
                yield f"line {line}: the date {text} of {row[CASE_COLUMN]} does not exist; correct it or leave it out"


def _image_mistakes(table: Sequence[tuple[int, Mapping[str, str]]], folder: Path, task: Task) -> Iterator[Message]:
    """Yield lines without an image, and files that are used for two images."""
    first: dict[str, tuple[int, str]] = {}
    for line, row in table:
        named = [name for name in task.channel_names if row.get(name)]
        if not named:
            yield f"line {line}: {row[CASE_COLUMN]} has no image; fill one of {', '.join(task.channel_names)}"
        for name in named:
            path = os.path.normpath(folder / os.path.expanduser(row[name]))  # noqa: PTH111 - as settings do it
            before, channel = first.setdefault(path, (line, name))
            if (before, channel) != (line, name):
                yield f"line {line}: {row[name]} is the {name}, but also the {channel} of line {before}; correct one"
