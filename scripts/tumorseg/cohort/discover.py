"""Which cases a data folder holds, and the files of each, by name alone.

Runs whenever the workflow is planned, so it lists folders and opens no file.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tumorseg.cohort.naming import role_of
from tumorseg.errors import UserError

EXPECTED = (
    "a folder that holds one folder per case, with files such as BraTS-GLI-00000-000-t1n.nii.gz or "
    "BraTS2021_00000_t1.nii.gz in it"
)


@dataclass(frozen=True)
class CaseFiles:
    """The files of a case folder.

    case: the folder's name. files: for each role ("t1", "t1ce", "t2", "flair", "seg") that is there, the paths of its
    files relative to the root, with `/`; more than one where it stands there twice, as `.nii` beside `.nii.gz`.
    """

    case: str
    files: dict[str, tuple[str, ...]]


def discover(root: Path) -> list[CaseFiles]:
    """The cases below `root`, sorted: each sub-folder is one, unless its name begins with a dot.

    A folder that is named like a file (`X-t1c.nii/00000057_brain_t1ce.nii`, as public mirrors unpack them) counts as
    the files inside it. Anything that is not named like a file of a case is ignored, so a case may have no file at
    all. Raises UserError where `root` is not a folder of case folders.
    """
    try:
        with os.scandir(root) as entries:
            folders = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise UserError(f"cohort.root: cannot list {root} ({error.strerror}); it should be {EXPECTED}") from None
    if any(role_of(folder) for folder in folders) or (not folders and _images(root)):
        raise UserError(f"cohort.root: {root} is the folder of one case; give the folder above it, {EXPECTED}")
    if not folders:
        raise UserError(f"cohort.root: {root} has no folder in it; it should be {EXPECTED}")
    cases = [_case_files(root, folder) for folder in folders]
    if not any(case.files for case in cases):
        raise UserError(f"cohort.root: no image was found below {root}; it should be {EXPECTED}{_hint(root, folders)}")
    return cases


def to_json(case: CaseFiles) -> str:
    """A case as one line of JSON with sorted keys."""
    return json.dumps({"case": case.case, "files": case.files}, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> CaseFiles:
    """The case that `to_json` wrote."""
    content = json.loads(text)
    return CaseFiles(content["case"], {role: tuple(paths) for role, paths in content["files"].items()})


def _case_files(root: Path, folder: str) -> CaseFiles:
    named = [(role_of(name), path) for name, path in _images(root / folder)]
    ids = Counter(found[0].casefold() for found, _ in named if found)
    # A file of another case that strayed into this folder must not stand in for one of its own.
    own = folder.casefold() if folder.casefold() in ids else max(sorted(ids), key=ids.__getitem__, default=None)
    files = defaultdict(list)
    for found, path in named:
        if found and found[0].casefold() == own:
            files[found[1]].append(f"{folder}/{path}")
    return CaseFiles(folder, {role: tuple(sorted(files[role])) for role in sorted(files)})


def _images(folder: Path) -> list[tuple[str, str]]:
    """Name and path within `folder` of whatever is named like a file of a case; a folder gives the files inside it."""
    return [
        (name, path)
        for name, is_folder in _entries(folder)
        if role_of(name)
        for path in (_inside(folder, name) if is_folder else [name])
    ]


def _inside(folder: Path, name: str) -> list[str]:
    return [
        f"{name}/{inner}"
        for inner, is_folder in _entries(folder / name)
        if inner.lower().endswith((".nii", ".nii.gz")) and not inner.startswith(".") and not is_folder
    ]


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """Names in a folder, and whether each is a folder; none where it cannot be listed, which `check_case` reports."""
    try:
        with os.scandir(folder) as entries:
            yield from [(entry.name, entry.is_dir()) for entry in entries]
    except OSError:
        return


def _hint(root: Path, folders: list[str]) -> str:
    for folder in folders:
        if any(is_folder and _images(root / folder / name) for name, is_folder in _entries(root / folder)):
            return f". Cases are one level deeper, in {root / folder}: is that the folder you mean?"
    return ""
