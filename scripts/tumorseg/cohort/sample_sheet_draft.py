"""Draft a sample sheet for a folder of images.

Discovery fills in the files that it understands. The others are guessed from names of files and folders, and unused
files are listed.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.cohort.file_names import MASK, is_awkward_name, is_system_file, may_be_image, nifti_stem, printable
from tumorseg.cohort.layouts.listing import base_name, is_mask_folder_name
from tumorseg.cohort.layouts.synonyms import roles_by_name, simplify_name
from tumorseg.cohort.sample_sheet import MASK_COLUMN, PATIENT_COLUMN, sheet_columns
from tumorseg.cohort.sheet_rows import CASE_COLUMN
from tumorseg.errors import Message, UserError
from tumorseg.io.tables import write_table
from tumorseg.task import Task


@dataclass(frozen=True)
class DraftSheet:
    """A sample sheet to be checked.

    Attributes:
        table: columns of text; a cell is empty if no file was found.
        unused_files: files that are in no cell.
        layout_error: why discovery did not understand the folder; None if it did.
    """

    table: pd.DataFrame
    unused_files: tuple[str, ...]
    layout_error: Message | None

    def missing_cells(self) -> list[str]:
        """Return each case with empty cells, followed by the columns of these cells."""
        columns = [name for name in self.table if name != PATIENT_COLUMN]
        empty = {row[CASE_COLUMN]: [name for name in columns if not row[name]] for row in self.table.to_dict("records")}
        return [f"{case}: {', '.join(names)}" for case, names in empty.items() if names]


def write_draft_sheet(folder: Path, output: Path, task: Task) -> DraftSheet:
    """Draft the sample sheet of the images in a folder, and write it.

    Args:
        folder: folder of the images, in any layout.
        output: TSV or CSV file; the paths in it are relative to its folder.
        task: its channels are columns of the sheet.

    Returns:
        The sheet.

    Raises:
        UserError: `output` exists already, or no image is found.
    """
    if os.path.lexists(output):
        raise UserError(f"{output}: this file exists already and is not overwritten; give another --output")
    sheet = draft_sheet(folder, output.parent, task)
    if sheet.table.empty:
        raise UserError(f"{folder}: no image (.nii, .nii.gz) of a case was found here; give the folder of the images")
    write_table(output, sheet.table)
    return sheet


def draft_sheet(folder: Path, base_folder: Path, task: Task) -> DraftSheet:
    """Draft the sample sheet of a folder.

    Args:
        folder: folder of the images, in any layout.
        base_folder: folder that the paths in the sheet are relative to; paths of files outside it are absolute.
        task: its channels are columns of the sheet.

    Returns:
        The sheet; its table is empty if no image is found.
    """
    images, unusable = _find_images(folder)
    rows, patients, note = _discover(folder, task)
    named = {path for row in rows.values() for path in row.values()}
    if task.channels[0].volume is None:  # the name of a file with all channels includes no contrast
        for name, files in guess_cases([path for path in images if path not in named], rows, task).items():
            rows[name] = {**files, **rows.get(name, {})}
    rows = {name: row for name, row in rows.items() if row and not is_awkward_name(name)}
    used = {path for row in rows.values() for path in row.values()}
    table = pd.DataFrame(
        [
            {
                CASE_COLUMN: name,
                PATIENT_COLUMN: patients.get(name, ""),
                **{role: _sheet_path(folder, row.get(role), base_folder) for role in task.channel_names},
                MASK_COLUMN: _sheet_path(folder, row.get(MASK), base_folder),
            }
            for name, row in sorted(rows.items())
        ],
        columns=list(sheet_columns(task)),
        dtype=str,
    )
    return DraftSheet(
        table, tuple(sorted([*map(printable, unusable), *(path for path in images if path not in used)])), note
    )


def _find_images(folder: Path) -> tuple[list[str], list[str]]:
    """Return the NIfTI files below a folder, and images that a sheet cannot name: other formats, unusable names."""
    # Each folder is read once, so circular links end.
    images: list[str] = []
    unusable: list[str] = []
    seen: set[str] = set()
    for current, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(current)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_system_file(name))
        for name in sorted(names):
            if is_system_file(name) or not may_be_image(name):
                continue
            path = os.path.relpath(os.path.join(current, name), folder)  # noqa: PTH118 - keeps bytes that are not UTF-8
            (
                images if nifti_stem(name) is not None and not is_awkward_name(path) and "\\" not in path else unusable
            ).append(path)
    return images, unusable


def _discover(folder: Path, task: Task) -> tuple[dict[str, dict[str, str]], dict[str, str], Message | None]:
    """Return the files and patients by case that discovery finds; if it refuses the folder, none and the reason."""
    # A role with two files is left empty. In the folder of one case, its sibling cases do not count.
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay
    try:
        root, _ = locate_cohort_folder(absolute, task)
        found = discover_cases(root, task, "the folder")
    except UserError as error:
        return {}, {}, str(error)
    rows = {
        case.case: {
            role: os.path.relpath(root / paths[0], folder) for role, paths in case.files.items() if len(paths) == 1
        }
        for case in found
        if root != absolute.parent or case.folder == absolute.name
    }
    return rows, {case.case: case.patient for case in found if case.patient}, None


def _sheet_path(folder: Path, path: str | None, base_folder: Path) -> str:
    """Return a path in the form of the sheet."""
    if path is None:
        return ""
    absolute = Path(os.path.abspath(folder / path))  # noqa: PTH100 - links stay
    base = Path(os.path.abspath(base_folder))  # noqa: PTH100
    return str(absolute.relative_to(base) if absolute.is_relative_to(base) else absolute)


# fmt: off
_MASK_WORDS: Final = frozenset({
    "mask", "label", "labels", "segmentation", "segmented", "gt", "groundtruth", "truth", "roi", "tumor", "tumour",
    "lesion", "annotation", "dseg", "corrected", "manuallycorrected",
})
# fmt: on
_ORGAN_MASK: Final = re.compile(r"brain|head|skull|csf|tissue|parenchyma", re.IGNORECASE)
_MAX_NAME_PARTS: Final = 3
"""Most parts of a name that together are a contrast, as in `ce-gd_T1w`."""


class Guess(NamedTuple):
    """The guessed case and role of a file; `at_end` if its name ends in the role."""

    path: str
    case: str
    role: str
    at_end: bool


def guess_file(path: str, known: Mapping[str, str]) -> Guess | None:
    """Guess a file's case and role by its name, else its role by its folder's name.

    Args:
        path: path of the file.
        known: the role of each simplified name, from `roles_by_name`.

    Returns:
        The guess; None if neither name is known.
    """
    stem, folder = str(nifti_stem(base_name(path))), base_name(path.rpartition("/")[0])
    parts = list(re.finditer(r"[^-_. ]+", stem))
    for end in range(len(parts), 0, -1):
        for begin in range(max(0, end - _MAX_NAME_PARTS), end):
            text = simplify_name(stem[parts[begin].start() : parts[end - 1].end()])
            role = known.get(text) or (MASK if text in _MASK_WORDS else None)
            if role and not (role == MASK and _ORGAN_MASK.search(stem)):
                return Guess(path, stem[: parts[begin].start()].rstrip("-_. "), role, end == len(parts))
    role = MASK if is_mask_folder_name(folder) else known.get(simplify_name(folder))
    return Guess(path, stem, role, at_end=True) if role else None


def guess_cases(paths: Iterable[str], cases: Mapping[str, Mapping[str, str]], task: Task) -> dict[str, dict[str, str]]:
    """Guess the cases and roles of files that discovery has not used.

    Args:
        paths: paths of these files.
        cases: the cases that discovery has found, with the file of each role.
        task: its channels are the roles of images.

    Returns:
        The file of each role, by case. A role with two candidates gets none.
    """
    known = roles_by_name(task)
    guesses = [guess for path in paths if (guess := guess_file(path, known))]
    by_role: dict[tuple[str, str], list[Guess]] = defaultdict(list)
    for name, guess in _assign_cases(guesses, cases):
        by_role[name, guess.role].append(guess)
    result: dict[str, dict[str, str]] = {}
    for (name, role), candidates in by_role.items():
        best = [guess for guess in candidates if guess.at_end] or candidates
        if len(best) == 1:
            result.setdefault(name, {})[role] = best[0].path
    return result


def _assign_cases(guesses: Sequence[Guess], cases: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Guess]]:
    """Yield each file with the name of its case: the case in its folder, the case of its name, or a new one."""
    by_folder: dict[str, set[str]] = defaultdict(set)
    for name, files in cases.items():
        for path in files.values():
            by_folder[path.rpartition("/")[0]].add(name)
    by_name = {name.casefold(): name for name in cases}
    groups: dict[str, list[Guess]] = defaultdict(list)
    for guess in guesses:
        groups[guess.path.rpartition("/")[0]].append(guess)
    folder_of_case: dict[str, str] = {}
    for folder, group in groups.items():
        roles = [guess.role for guess in group]
        is_case_folder = folder and len(group) > 1 and len(set(roles)) == len(roles)
        for guess in group:
            candidates = by_folder.get(folder, set())
            if folder and len(candidates) == 1:
                yield next(iter(candidates)), guess
            elif guess.case.casefold() in by_name:
                yield by_name[guess.case.casefold()], guess
            elif is_case_folder or not guess.case:
                name = base_name(folder) or "case"
                other = folder_of_case.setdefault(name, folder)
                yield (name if other == folder else folder.replace("/", "_")), guess
            else:
                yield guess.case.lstrip("."), guess
