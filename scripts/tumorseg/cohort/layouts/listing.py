"""The folders of a cohort as names alone; each folder is listed once."""

import os
import re
import shlex
from collections.abc import Iterable
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
    """A file by its name: its case, the roles that it holds, its path below the root.

    own: whether it is named as the task says, and not by another well-known name. bare: whether its name does not say
    the case, which then is that of the folder.
    """

    case: str
    roles: tuple[str, ...]
    path: str
    own: bool = True
    bare: bool = False


class Listing:
    """What lies below a root, as planning asks for it. Paths are relative to the root, with `/`; "" is the root."""

    def __init__(self, root: Path, task: Task) -> None:
        self.root = root
        self.task = task
        self.volumes = task.channels[0].volume is not None
        """Whether one file holds all channels of a case."""
        self._known = roles_by_name(task)
        self._entries: dict[str, list[tuple[str, bool]]] = {}
        self._named: dict[str, list[NamedFile]] = {}

    def entries(self, folder: str) -> list[tuple[str, bool]]:
        """Names in a folder, and whether each is a folder; none where it cannot be listed."""
        if folder not in self._entries:
            self._entries[folder] = list_entries(self.root / folder)
        return self._entries[folder]

    def folders(self, folder: str) -> list[str]:
        """The names of the sub-folders, sorted, without strays."""
        return sorted(name for name, is_folder in self.entries(folder) if is_folder and not is_system_file(name))

    def files(self, folder: str) -> list[str]:
        """The names of the NIfTI files in a folder, sorted, without strays; folders do not count."""
        return sorted(
            name
            for name, is_folder in self.entries(folder)
            if not is_folder and nifti_stem(name) is not None and not is_awkward_name(name)
        )

    def named(self, folder: str) -> list[NamedFile]:
        """The entries that are named like a file of a case; a folder of this name gives the files inside it."""
        if folder not in self._named:
            self._named[folder] = [
                found._replace(path=path)
                for name, is_folder in self.entries(folder)
                if (found := self._of(name, folder)) and not is_awkward_name(name)
                for path in (self._inside(join_path(folder, name)) if is_folder else [join_path(folder, name)])
            ]
        return self._named[folder]

    def images(self, folder: str) -> list[NamedFile]:
        """As `named`; where there is none, those in a folder in it of the same name, as archives leave it."""
        return self.named(folder) or (self.named(join_path(folder, base_name(folder))) if folder else [])

    def is_file(self, name: str) -> bool:
        """Whether a name, of a folder too, is that of a file of a case."""
        return case_and_role(name, self.task) is not None or (self.volumes and nifti_stem(name) is not None)

    def _of(self, name: str, folder: str) -> NamedFile | None:
        """The file, without its path; None where its name says nothing."""
        stem = nifti_stem(name)
        if stem is None:
            return None
        found = case_and_role(name, self.task)
        if found and found[0][-2:].isdigit():  # as nearly all names: no longer end, such as ce_T1w, may be meant
            return NamedFile(found[0], (found[1],), "")
        other = role_by_synonym(stem, self._known)
        if found and (other is None or len(other[0]) >= len(found[0])):
            return NamedFile(found[0], (found[1],), "")
        if self.volumes:
            roles = (MASK,) if is_mask_folder_name(base_name(folder)) else self.task.channel_names
            return NamedFile(found[0], (found[1],), "") if found else NamedFile(stem, roles, "")
        if other is None or (not other[0] and is_mask_folder_name(base_name(folder))):
            return None
        case = other[0] or base_name(folder) or self.root.resolve().name
        return NamedFile(case, (other[1],), "", own=False, bare=not other[0])

    def _inside(self, folder: str) -> list[str]:
        return [join_path(folder, name) for name in self.files(folder)]


def list_entries(folder: Path) -> list[tuple[str, bool]]:
    """Names in a folder, and whether each is a folder; none where it cannot be listed, which `check_case` reports."""
    try:
        with os.scandir(folder) as found:
            return [(entry.name, _is_folder(entry)) for entry in found]
    except OSError:
        return []


def join_path(folder: str, name: str) -> str:
    """The path of a name in a folder, "" being the root."""
    return f"{folder}/{name}" if folder else name


def base_name(path: str) -> str:
    """The last name of a path."""
    return path.rpartition("/")[2]


def is_mask_folder_name(name: str) -> bool:
    """Whether a folder is called as one that holds masks and no images."""
    return _MASK_FOLDER_NAME.fullmatch(name) is not None


def group_by_role(found: Iterable[NamedFile]) -> dict[str, tuple[str, ...]]:
    """The files of one case by role; where one is named as the task says, those with other names do not count."""
    files: dict[str, list[NamedFile]] = {}
    for named in found:
        for role in named.roles:
            files.setdefault(role, []).append(named)
    taken = {role: [named for named in files[role] if named.own] or files[role] for role in sorted(files)}
    return {role: tuple(sorted(named.path for named in those)) for role, those in taken.items()}


def files_naming_case(found: Iterable[NamedFile]) -> list[NamedFile]:
    """The files whose names say their case; all of them where no name does."""
    files = list(found)
    return [named for named in files if not named.bare] or files


def sample_sheet_hint(root: Path, task: Task, key: str) -> Message:
    """The way out where a layout is not understood, as the end of a sentence; empty for all keys but `cohort.root`."""
    if key != "cohort.root":
        return ""
    named: Message = task.name if task.name in built_in_tasks() else f"{task.name}.yaml"
    option: Message = "" if task.name == DEFAULT_TASK else f" --task {shlex.quote(named)}"
    command: Message = f"python scripts/write_samples.py {shlex.quote(str(root))}{option} --output samples.tsv"
    return f", or list all cases in a sample sheet: {command} writes a first one, for cohort.samples"


def abbreviate(names: Iterable[str], max_names: int = 5) -> Message:
    """Some names, and how many more there are."""
    listed = list(names)
    return ", ".join(listed[:max_names]) + (f" and {len(listed) - max_names} more" if len(listed) > max_names else "")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or into a closed folder
        return False
