"""A first sample sheet of a folder: what discovery understands, guesses for the rest, and a list of what is left."""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tumorseg.cohort.discover import discover, locate
from tumorseg.cohort.guesses import guessed_cases
from tumorseg.cohort.naming import MASK, is_awkward, is_stray, may_be_image, shown, stem_of
from tumorseg.cohort.samples import CASE, MASK_COLUMN, PATIENT, columns_of
from tumorseg.errors import Message, UserError
from tumorseg.tables import write_table
from tumorseg.task import Task


@dataclass(frozen=True)
class FirstSheet:
    """A sample sheet to look through. table: text, empty where nothing was found. left: files that are in no cell.

    note: why discovery did not understand the folder; None where it did.
    """

    table: pd.DataFrame
    left: tuple[str, ...]
    note: Message | None

    def gaps(self) -> list[str]:
        """The cases with empty cells, and which."""
        columns = [name for name in self.table if name != PATIENT]
        empty = {row[CASE]: [name for name in columns if not row[name]] for row in self.table.to_dict("records")}
        return [f"{case}: {', '.join(names)}" for case, names in empty.items() if names]


def write_first_sheet(folder: Path, output: Path, task: Task) -> FirstSheet:
    """Write a first sample sheet of the images in `folder` to `output`, whose folder the paths start at.

    Raises UserError where there is a file already, and where no image is found.
    """
    if os.path.lexists(output):
        raise UserError(f"{output}: this file is there already and is not overwritten; give another --output")
    sheet = first_sheet(folder, output.parent, task)
    if sheet.table.empty:
        raise UserError(f"{folder}: no image (.nii, .nii.gz) of a case was found here; give the folder of the images")
    write_table(output, sheet.table)
    return sheet


def first_sheet(folder: Path, start: Path, task: Task) -> FirstSheet:
    """The sample sheet of a folder, with paths from `start` where a file lies below it, else absolute ones."""
    there, unusable = _images(folder)
    rows, patients, note = _discovered(folder, task)
    named = {path for row in rows.values() for path in row.values()}
    if task.channels[0].volume is None:  # a file of all channels has no name of a contrast
        for name, files in guessed_cases([path for path in there if path not in named], rows, task).items():
            rows[name] = {**files, **rows.get(name, {})}
    rows = {name: row for name, row in rows.items() if row and not is_awkward(name)}
    used = {path for row in rows.values() for path in row.values()}
    table = pd.DataFrame(
        [
            {
                CASE: name,
                PATIENT: patients.get(name, ""),
                **{role: _path(folder, row.get(role), start) for role in task.channel_names},
                MASK_COLUMN: _path(folder, row.get(MASK), start),
            }
            for name, row in sorted(rows.items())
        ],
        columns=list(columns_of(task)),
        dtype=str,
    )
    return FirstSheet(
        table, tuple(sorted([*map(shown, unusable), *(path for path in there if path not in used)])), note
    )


def _images(folder: Path) -> tuple[list[str], list[str]]:
    """The NIfTI files below a folder, and images that a sheet cannot name: other formats, awkward names.

    Follows links. Each folder is looked at once, so that links in a circle end.
    """
    there: list[str] = []
    unusable: list[str] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_stray(name))
        for name in sorted(names):
            if is_stray(name) or not may_be_image(name):
                continue
            path = os.path.relpath(os.path.join(place, name), folder)  # noqa: PTH118 - bytes that are no UTF-8 stay
            (there if stem_of(name) is not None and not is_awkward(path) and "\\" not in path else unusable).append(
                path
            )
    return there, unusable


def _discovered(folder: Path, task: Task) -> tuple[dict[str, dict[str, str]], dict[str, str], Message | None]:
    """The files by case and the patients that discovery finds; none, and why, where it refuses the folder.

    A role with two files has none here. Where the folder is that of one case, the cases beside it do not count.
    """
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay
    try:
        root, _ = locate(place, task)
        found = discover(root, task, "the folder")
    except UserError as error:
        return {}, {}, str(error)
    rows = {
        case.case: {
            role: os.path.relpath(root / paths[0], folder) for role, paths in case.files.items() if len(paths) == 1
        }
        for case in found
        if root != place.parent or case.folder == place.name
    }
    return rows, {case.case: case.patient for case in found if case.patient}, None


def _path(folder: Path, path: str | None, start: Path) -> str:
    """A path as the sheet has it."""
    if path is None:
        return ""
    whole = Path(os.path.abspath(folder / path))  # noqa: PTH100 - links stay
    below = Path(os.path.abspath(start))  # noqa: PTH100
    return str(whole.relative_to(below) if whole.is_relative_to(below) else whole)
