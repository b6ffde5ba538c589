"""Draft a sample sheet for a folder of images.

Discovery fills in what it understands. The rest is guessed from names of files and folders. Unused files are listed.
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
from tumorseg.cohort.sample_sheet import CASE_COLUMN, MASK_COLUMN, PATIENT_COLUMN, sheet_columns
from tumorseg.errors import Message, UserError
from tumorseg.io.tables import write_table
from tumorseg.task import Task


@dataclass(frozen=True)
class DraftSheet:
    """A sample sheet to look through. table: text, empty where nothing was found. left: files that are in no cell.

    note: why discovery did not understand the folder; None where it did.
    """

    table: pd.DataFrame
    unused_files: tuple[str, ...]
    layout_error: Message | None

    def missing_cells(self) -> list[str]:
        """The cases with empty cells, and which."""
        columns = [name for name in self.table if name != PATIENT_COLUMN]
        empty = {row[CASE_COLUMN]: [name for name in columns if not row[name]] for row in self.table.to_dict("records")}
        return [f"{case}: {', '.join(names)}" for case, names in empty.items() if names]


def write_draft_sheet(folder: Path, output: Path, task: Task) -> DraftSheet:
    """Write a first sample sheet of the images in `folder` to `output`, whose folder the paths start at.

    Raises UserError where there is a file already, and where no image is found.
    """
    if os.path.lexists(output):
        raise UserError(f"{output}: this file is there already and is not overwritten; give another --output")
    sheet = draft_sheet(folder, output.parent, task)
    if sheet.table.empty:
        raise UserError(f"{folder}: no image (.nii, .nii.gz) of a case was found here; give the folder of the images")
    write_table(output, sheet.table)
    return sheet


def draft_sheet(folder: Path, base_folder: Path, task: Task) -> DraftSheet:
    """The sample sheet of a folder, with paths from `start` where a file lies below it, else absolute ones."""
    there, unusable = _find_images(folder)
    rows, patients, note = _discover(folder, task)
    named = {path for row in rows.values() for path in row.values()}
    if task.channels[0].volume is None:  # a file of all channels has no name of a contrast
        for name, files in guess_cases([path for path in there if path not in named], rows, task).items():
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
        table, tuple(sorted([*map(printable, unusable), *(path for path in there if path not in used)])), note
    )


def _find_images(folder: Path) -> tuple[list[str], list[str]]:
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
        folders[:] = sorted(name for name in folders if not is_system_file(name))
        for name in sorted(names):
            if is_system_file(name) or not may_be_image(name):
                continue
            path = os.path.relpath(os.path.join(place, name), folder)  # noqa: PTH118 - bytes that are no UTF-8 stay
            (
                there if nifti_stem(name) is not None and not is_awkward_name(path) and "\\" not in path else unusable
            ).append(path)
    return there, unusable


def _discover(folder: Path, task: Task) -> tuple[dict[str, dict[str, str]], dict[str, str], Message | None]:
    """The files by case and the patients that discovery finds; none, and why, where it refuses the folder.

    A role with two files has none here. Where the folder is that of one case, the cases beside it do not count.
    """
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay
    try:
        root, _ = locate_cohort_folder(place, task)
        found = discover_cases(root, task, "the folder")
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


def _sheet_path(folder: Path, path: str | None, base_folder: Path) -> str:
    """A path as the sheet has it."""
    if path is None:
        return ""
    whole = Path(os.path.abspath(folder / path))  # noqa: PTH100 - links stay
    below = Path(os.path.abspath(base_folder))  # noqa: PTH100
    return str(whole.relative_to(below) if whole.is_relative_to(below) else whole)


# fmt: off
_MASK_WORDS: Final = frozenset({
    "mask", "label", "labels", "segmentation", "segmented", "gt", "groundtruth", "truth", "roi", "tumor", "tumour",
    "lesion", "annotation", "dseg", "corrected", "manuallycorrected",
})
# fmt: on
_ORGAN_MASK: Final = re.compile(r"brain|head|skull|csf|tissue|parenchyma", re.IGNORECASE)
_MAX_NAME_PARTS: Final = 3
"""Parts of a name that together say the contrast, as in `ce-gd_T1w`."""


class Guess(NamedTuple):
    """What a file may be. case: as its name begins. at_end: whether the role is the end of the name."""

    path: str
    case: str
    role: str
    at_end: bool


def guess_file(path: str, known: Mapping[str, str]) -> Guess | None:
    """What a file may be by its name, or else by that of its folder; None where neither hints at it.

    known: see `roles_by_name`.
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
    """The file of each role, by case, of files that discovery has not used.

    cases: those that it has found, with the file of each role. A role that two files may have stays without one.
    """
    known = roles_by_name(task)
    found = [one for path in paths if (one := guess_file(path, known))]
    by_role: dict[tuple[str, str], list[Guess]] = defaultdict(list)
    for name, one in _assign_cases(found, cases):
        by_role[name, one.role].append(one)
    result: dict[str, dict[str, str]] = {}
    for (name, role), candidates in by_role.items():
        best = [one for one in candidates if one.at_end] or candidates
        if len(best) == 1:
            result.setdefault(name, {})[role] = best[0].path
    return result


def _assign_cases(found: Sequence[Guess], cases: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Guess]]:
    """Each file with the name of its case: one in whose folder it lies, one of its name, or a new one."""
    by_folder: dict[str, set[str]] = defaultdict(set)
    for name, files in cases.items():
        for path in files.values():
            by_folder[path.rpartition("/")[0]].add(name)
    by_name = {name.casefold(): name for name in cases}
    groups: dict[str, list[Guess]] = defaultdict(list)
    for one in found:
        groups[one.path.rpartition("/")[0]].append(one)
    taken: dict[str, str] = {}
    for folder, group in groups.items():
        roles = [one.role for one in group]
        whole = folder and len(group) > 1 and len(set(roles)) == len(roles)
        for one in group:
            there = by_folder.get(folder, set())
            if folder and len(there) == 1:
                yield next(iter(there)), one
            elif one.case.casefold() in by_name:
                yield by_name[one.case.casefold()], one
            elif whole or not one.case:
                name = base_name(folder) or "case"
                other = taken.setdefault(name, folder)
                yield (name if other == folder else folder.replace("/", "_")), one
            else:
                yield one.case.lstrip("."), one
