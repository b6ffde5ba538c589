"""List the folders of a cohort by names alone, each folder once."""

import os
import re
import shlex
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tumorseg.cohort.file_names import MASK, case_and_role, is_awkward_name, is_system_file, nifti_stem
from tumorseg.cohort.layouts.synonyms import role_by_synonym, roles_by_name
from tumorseg.errors import Message
from tumorseg.task import DEFAULT_TASK, Task, built_in_tasks

_MASK_FOLDER_NAME: Final = re.compile(
    r"(masks?|labels?|seg|segs|segmentations?|segmented|ground[-_ ]?truths?|gt|annotations?|targets?|rois?)([-_ ]?tr)?",
    re.IGNORECASE,
)
"""Names of folders that hold masks and no images."""


class NamedFile(NamedTuple):
    """The case and the roles that the name of a file indicates.

    Attributes:
        case: name of the case.
        roles: the channels that the file holds, or `seg`.
        path: relative to the root.
        in_task: whether the task lists the ending of the name; if not, it is a well-known synonym.
        lacks_case: whether the name does not include the case; the case is then the folder's name.
    """

    case: str
    roles: tuple[str, ...]
    path: str
    in_task: bool = True
    lacks_case: bool = False


class Listing:
    """List files and folders below a root on demand. Paths are relative to the root, with `/`; "" is the root."""

    def __init__(self, root: Path, task: Task) -> None:
        self.root = root
        self.task = task
        self.has_4d_files = task.channels[0].volume is not None
        """Whether one file holds all channels of a case."""
        self._known = roles_by_name(task)
        self._entries: dict[str, list[tuple[str, bool]]] = {}
        self._named: dict[str, list[NamedFile]] = {}

    def entries(self, folder: str) -> list[tuple[str, bool]]:
        """Return the names in a folder, and whether each is a folder; empty if it cannot be listed."""
        if folder not in self._entries:
            self._entries[folder] = list_entries(self.root / folder)
        return self._entries[folder]

    def folders(self, folder: str) -> list[str]:
        """Return the names of the subfolders, sorted, without system files."""
        return sorted(name for name, is_folder in self.entries(folder) if is_folder and not is_system_file(name))

    def files(self, folder: str) -> list[str]:
        """Return the names of the NIfTI files in a folder, sorted, without system files and folders."""
        return sorted(
            name
            for name, is_folder in self.entries(folder)
            if not is_folder and nifti_stem(name) is not None and not is_awkward_name(name)
        )

    def named(self, folder: str) -> list[NamedFile]:
        """Return the files named like a file of a case, and the files in folders with such a name."""
        if folder not in self._named:
            clear = self._clear_roles(folder)
            self._named[folder] = [
                found._replace(path=path)
                for name, is_folder in self.entries(folder)
                if (found := self._of(name, folder, clear)) and not is_awkward_name(name)
                for path in (self._inside(join_path(folder, name)) if is_folder else [join_path(folder, name)])
            ]
        return self._named[folder]

    def images(self, folder: str) -> list[NamedFile]:
        """Return `named` of the folder; if it is empty, of the inner folder of the same name.

        Archives often unpack to `X/X`.
        """
        return self.named(folder) or (self.named(join_path(folder, base_name(folder))) if folder else [])

    def is_file(self, name: str) -> bool:
        """Return whether a file or folder is named like a file of a case."""
        return case_and_role(name, self.task) is not None or (self.has_4d_files and nifti_stem(name) is not None)

    def _longer_synonym(self, name: str) -> tuple[str, str] | None:
        """Return case and role by a synonym that is longer than the ending of the task: `post_t1` instead of `t1`."""
        found = case_and_role(name, self.task)
        if not found or found[0][-2:].isdigit():  # as in nearly all names; a longer synonym is impossible
            return None
        other = role_by_synonym(str(nifti_stem(name)), self._known)
        return other if other and len(other[0]) < len(found[0]) else None

    def _of(self, name: str, folder: str, clear: Collection[tuple[str, str]] = ()) -> NamedFile | None:
        """Parse the name of a file in `folder`; its path stays empty. Return None if the name is not understood."""
        stem = nifti_stem(name)
        if stem is None:
            return None
        found, other = case_and_role(name, self.task), self._longer_synonym(name)
        # In `P1_post_t1`, `post` may belong to the case or to the image.
        if found and (other is None or self._is_case(found[0], other, folder, clear)):
            return NamedFile(found[0], (found[1],), "")
        other = other or role_by_synonym(stem, self._known)
        if self.has_4d_files:
            roles = (MASK,) if is_mask_folder_name(base_name(folder)) else self.task.channel_names
            return NamedFile(found[0], (found[1],), "") if found else NamedFile(stem, roles, "")
        if other is None or (not other[0] and is_mask_folder_name(base_name(folder))):
            return None
        case = other[0] or self._case_of_folder(folder)
        return NamedFile(case, (other[1],), "", in_task=False, lacks_case=not other[0])

    def _clear_roles(self, folder: str) -> set[tuple[str, str]]:
        """Return case and role of the names in a folder that have one meaning; empty if all names have one."""
        names = [name for name, _ in self.entries(folder)]
        unclear = {name: case_and_role(name, self.task) for name in names if self._longer_synonym(name)}
        if not unclear:
            return set()
        clear = self._roles((name for name in names if name not in unclear), folder)
        cases = {case for case, _ in clear}
        return clear | self._roles((name for name, found in unclear.items() if found and found[0] not in cases), folder)

    def _roles(self, names: Iterable[str], folder: str) -> set[tuple[str, str]]:
        return {(found.case, role) for name in names if (found := self._of(name, folder)) for role in found.roles}

    def _is_case(self, case: str, other: tuple[str, str], folder: str, clear: Collection[tuple[str, str]]) -> bool:
        """Return whether `case` is the right one of two: `P1_post`, or `P1` with the role T1CE (`other`).

        Returns:
            True if files whose names have one meaning (`clear`) belong to `P1_post`, and one of them is its T1CE or
            none of them belongs to `P1`.
        """
        cases = {name for name, _ in clear}
        return case in cases and ((case, other[1]) in clear or (other[0] or self._case_of_folder(folder)) not in cases)

    def _case_of_folder(self, folder: str) -> str:
        return base_name(folder) or self.root.resolve().name

    def _inside(self, folder: str) -> list[str]:
        return [join_path(folder, name) for name in self.files(folder)]


def list_entries(folder: Path) -> list[tuple[str, bool]]:
    """Return the names in a folder and whether each is a folder; empty if unreadable, which validation reports."""
    try:
        with os.scandir(folder) as found:
            return [(entry.name, _is_folder(entry)) for entry in found]
    except OSError:
        return []


def join_path(folder: str, name: str) -> str:
    """Return the path of a name in a folder; "" is the root."""
    return f"{folder}/{name}" if folder else name


def base_name(path: str) -> str:
    """Return the last component of a path."""
    return path.rpartition("/")[2]


def is_mask_folder_name(name: str) -> bool:
    """Return whether a folder is named like one that holds only masks."""
    return _MASK_FOLDER_NAME.fullmatch(name) is not None


def group_by_role(found: Iterable[NamedFile]) -> dict[str, tuple[str, ...]]:
    """Return the paths of one case's files by role; a file that the task names takes precedence over synonyms."""
    files: dict[str, list[NamedFile]] = {}
    for named in found:
        for role in named.roles:
            files.setdefault(role, []).append(named)
    chosen = {role: [named for named in files[role] if named.in_task] or files[role] for role in sorted(files)}
    return {role: tuple(sorted(named.path for named in role_files)) for role, role_files in chosen.items()}


def files_naming_case(found: Iterable[NamedFile]) -> list[NamedFile]:
    """Return the files whose names include the case; all files if none does."""
    files = list(found)
    return [named for named in files if not named.lacks_case] or files


def sample_sheet_hint(root: Path, task: Task, key: str) -> Message:
    """Return the advice to write a sample sheet, as the end of a sentence.

    Args:
        root: data folder of the proposed command.
        task: task of the cohort.
        key: configuration key that names `root`.

    Returns:
        The advice; empty for all keys but `cohort.root`, since only it has sample sheets as alternative.
    """
    if key != "cohort.root":
        return ""
    named: Message = task.name if task.name in built_in_tasks() else f"{task.name}.yaml"
    option: Message = "" if task.name == DEFAULT_TASK else f" --task {shlex.quote(named)}"
    command: Message = f"python scripts/write_samples.py {shlex.quote(str(root))}{option} --output samples.tsv"
    return f", or list all cases in a sample sheet for cohort.samples: {command} writes a draft"


def abbreviate(names: Iterable[str], max_names: int = 5) -> Message:
    """Return the first names, and how many more there are."""
    listed = list(names)
    return ", ".join(listed[:max_names]) + (f" and {len(listed) - max_names} more" if len(listed) > max_names else "")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link, or one into an unreadable folder
        return False
