"""Which cases a data folder holds, and the files of each, by name alone.

Runs whenever the workflow is planned, so it lists folders and opens no file.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorseg.cohort.naming import archive_of, is_awkward, is_stray, may_be_image, names_case, role_of, shown
from tumorseg.errors import UserError
from tumorseg.task import Task

EXPECTED = (
    "a folder that holds one folder per case, with files such as BraTS-GLI-00000-000-t1n.nii.gz or "
    "BraTS2021_00000_t1.nii.gz in it"
)


@dataclass(frozen=True)
class CaseFiles:
    """A case: its name, its files, and where they lie.

    case: the name, unlike that of any other case. files: for each role (see `naming.roles`) that is there, the paths of
    its files relative to the root, with `/`; more than one where it stands there twice, as `.nii` beside `.nii.gz`.
    folder: the path of its own folder relative to the root; None where it has none, as where the files of many cases
    lie side by side. A case whose folder has an awkward name (see `naming.is_awkward`) has no files, and `case` shows
    that name. patient: where the place of the case or a sample sheet says it, else None.
    """

    case: str
    files: dict[str, tuple[str, ...]]
    folder: str | None
    patient: str | None = None

    def paths(self) -> list[str]:
        """The paths of all its files, by role."""
        return [path for role in sorted(self.files) for path in self.files[role]]


def discover(root: Path, task: Task, key: str = "cohort.root") -> list[CaseFiles]:
    """The cases below `root`, sorted: each sub-folder is one, unless it is a stray (`.name`, `__MACOSX`).

    A folder that is named like a file (`X-t1c.nii/00000057_brain_t1ce.nii`, as public mirrors unpack them) counts as
    the files inside it, and a case folder in one of its own name (`X/X`) as that. Anything that is not named like a
    file of a case is ignored, so a case may have no file at all; nor has a case of which only the packed archive is
    there, or a link that leads nowhere, or whose name is awkward. key: that of the configuration which names `root`.
    Raises UserError where `root` is not a folder of case folders.
    """
    try:
        with os.scandir(root) as entries:
            names = [(entry.name, _is_folder(entry)) for entry in entries]
    except OSError as error:
        raise UserError(f"{key}: cannot list {root} ({error.strerror}); it should be {EXPECTED}") from None
    packed = {content: name for name, is_folder in names if not is_folder and (content := archive_of(name))}
    folders = {name for name, is_folder in names if is_folder and not is_stray(name)}
    awkward = sorted(name for name in folders if is_awkward(name))
    # What is called like a case and is no folder: packed, or a link that leads nowhere. `examine_case` says which.
    closed = {name for name in {*packed, *(name for name, is_folder in names if not is_folder)} if names_case(name)}
    cases = [_case_files(root, folder, task) for folder in sorted(folders.difference(awkward) | closed)]
    if not any(case.files for case in cases):
        locate(root, task, key)  # knows better what is wrong where there are images at other places
        raise UserError(f"{key}: no image was found below {root}{_hint(root, cases, awkward, packed)}")
    return sorted([*cases, *_awkward_cases(awkward, {case.case for case in cases})], key=lambda case: case.case)


def _awkward_cases(folders: Sequence[str], taken: Set[str]) -> Iterator[CaseFiles]:
    """The case of each awkward folder, without files."""
    names = set(taken)
    for folder in folders:
        name, number = shown(folder), 1
        while name in names:
            name, number = f"{shown(folder)} ({number + 1})", number + 1
        names.add(name)
        yield CaseFiles(name, {}, folder)


def _hint(root: Path, cases: Sequence[CaseFiles], awkward: Sequence[str], packed: Mapping[str, str]) -> str:
    """What a folder without any image of a case holds in their place."""
    if packed:
        return f"; it holds what is still packed ({few(sorted(packed.values()))}): extract it"
    unknown = [f"{case.case}/{name}" for case in cases for name in not_understood(root, case)]
    if unknown:
        return f"; found, but not understood: {few(unknown)}; it should be {EXPECTED}"
    if awkward:
        names = few(map(shown, awkward))
        return f"; names with braces, control characters or bytes that are no UTF-8 cannot be used: rename {names}"
    return f"; it should be {EXPECTED}"


def few(names: Iterable[str], most: int = 5) -> str:
    """Some names, and how many more there are."""
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def not_understood(root: Path, case: CaseFiles) -> list[str]:
    """What in the folder of a case may be an image by its name and is none of its files, as it can be shown."""
    if case.folder is None:
        return []
    place = case.folder
    paths = [path for files in case.files.values() for path in files]
    own = f"{place}/{place.rpartition('/')[2]}/"  # as in `X/X`, see `_images`
    if paths and all(path.startswith(own) for path in paths):
        place = own[:-1]
    used = {path.removeprefix(f"{place}/").partition("/")[0] for path in paths}
    return sorted(
        f"{shown(name)}/" if is_folder else shown(name)
        for name, is_folder in _entries(root / place)
        if name not in used and not is_stray(name) and (is_folder or may_be_image(name))
    )


def case_folders_in(root: Path, case: CaseFiles, task: Task) -> list[str]:
    """The folders of cases in a folder that is no case itself: a link to the folder of all cases, or one between."""
    if case.files or case.folder is None or is_awkward(case.folder):
        return []
    place = root / case.folder
    return [name for name in _folders(place) if not is_awkward(name) and _has_images(place, name, task)]


def locate(root: Path, task: Task, key: str = "cohort.root") -> tuple[Path, str | None]:
    """The folder of case folders that is meant by `root`, and a sentence about it where that is not `root` itself.

    Where `root` is the folder of one case, it is the folder above; where the cases are all in one folder below `root`,
    it is that. Raises UserError where several folders below have cases, and where the files of several cases lie side
    by side in `root`.
    """
    if any(_has_images(root, name, task) for name in _folders(root)):
        return root, None
    cases = {found[0].casefold() for name, _ in _images(root, task) if (found := role_of(name, task))}
    if len(cases) == 1:
        above = root / ".." if root.name in ("", "..") else root.parent
        return above, f"{key}: {root} is the folder of one case; the folder above it, {above}, is taken"
    if cases:
        raise UserError(
            f"{key}: {root} has the files of {len(cases)} cases side by side; put each case into a folder of its "
            f"own. It should be {EXPECTED}"
        )
    below = [
        root / name
        for name in _folders(root)
        if any(_has_images(root / name, inner, task) for inner in _folders(root / name))
    ]
    if len(below) > 1:
        raise UserError(
            f"{key}: cases are in {len(below)} folders below {root} ({few(path.name for path in below)}); give one of "
            f"them, such as {below[0]}, or put the case folders of all, or links to them, into one folder"
        )
    if below:
        return below[0], f"{key}: the cases are one level deeper than {root}; {below[0]} is taken"
    return root, None


def to_json(case: CaseFiles) -> str:
    """A case as one line of JSON with sorted keys."""
    content: dict[str, Any] = {"case": case.case, "files": case.files}
    if case.folder != case.case:
        content["folder"] = case.folder
    if case.patient is not None:
        content["patient"] = case.patient
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> CaseFiles:
    """The case that `to_json` wrote."""
    content = json.loads(text)
    files = {role: tuple(paths) for role, paths in content["files"].items()}
    return CaseFiles(content["case"], files, content.get("folder", content["case"]), content.get("patient"))


def _case_files(root: Path, folder: str, task: Task) -> CaseFiles:
    named = [(role_of(name, task), path) for name, path in _images(root / folder, task)]
    ids = Counter(found[0].casefold() for found, _ in named if found)
    # A file of another case that strayed into this folder must not stand in for one of its own.
    own = folder.casefold() if folder.casefold() in ids else max(sorted(ids), key=ids.__getitem__, default=None)
    files = defaultdict(list)
    for found, path in named:
        if found and found[0].casefold() == own:
            files[found[1]].append(f"{folder}/{path}")
    return CaseFiles(folder, {role: tuple(sorted(files[role])) for role in sorted(files)}, folder)


def _images(folder: Path, task: Task) -> list[tuple[str, str]]:
    """Name and path within `folder` of whatever is named like a file of a case, or, where there is none, of that in a
    folder in it of the same name, as archives leave it.
    """
    again = folder.name
    return _named(folder, task) or [(name, f"{again}/{path}") for name, path in _named(folder / again, task)]


def _named(folder: Path, task: Task) -> list[tuple[str, str]]:
    """Name and path of the entries that are named like a file of a case; a folder gives the files inside it."""
    return [
        (name, path)
        for name, is_folder in _entries(folder)
        if role_of(name, task) and not is_awkward(name)
        for path in (_inside(folder, name) if is_folder else [name])
    ]


def _folders(folder: Path) -> list[str]:
    """The sub-folders that may be those of cases."""
    return sorted(name for name, is_folder in _entries(folder) if is_folder and not is_stray(name))


def _has_images(root: Path, folder: str, task: Task) -> bool:
    """Whether a folder is that of a case, and no folder that is named like a file."""
    return role_of(folder, task) is None and bool(_images(root / folder, task))


def _inside(folder: Path, name: str) -> list[str]:
    return [
        f"{name}/{inner}"
        for inner, is_folder in _entries(folder / name)
        if inner.lower().endswith((".nii", ".nii.gz")) and not (inner.startswith(".") or is_folder or is_awkward(inner))
    ]


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """Names in a folder, and whether each is a folder; none where it cannot be listed, which `check_case` reports."""
    try:
        with os.scandir(folder) as entries:
            yield from [(entry.name, _is_folder(entry)) for entry in entries]
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or into a closed folder
        return False
