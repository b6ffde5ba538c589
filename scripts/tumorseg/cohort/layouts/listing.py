"""The folders of a cohort as names alone; each folder is listed once."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tumorseg.cohort.naming import MASK, is_awkward, is_stray, role_of, stem_of
from tumorseg.errors import Message
from tumorseg.task import Task

_OF_MASKS: Final = re.compile(
    r"(masks?|labels?|seg|segs|segmentations?|segmented|ground[-_ ]?truths?|gt|annotations?|targets?|rois?)([-_ ]?tr)?",
    re.IGNORECASE,
)
"""Names of folders that hold masks and no images."""


class Named(NamedTuple):
    """A file by its name: its case, the roles that it holds, its path below the root."""

    case: str
    roles: tuple[str, ...]
    path: str


class Listing:
    """What lies below a root, as planning asks for it. Paths are relative to the root, with `/`; "" is the root."""

    def __init__(self, root: Path, task: Task) -> None:
        self.root = root
        self.task = task
        self.volumes = task.channels[0].volume is not None
        """Whether one file holds all channels of a case."""
        self._entries: dict[str, list[tuple[str, bool]]] = {}
        self._named: dict[str, list[Named]] = {}

    def entries(self, folder: str) -> list[tuple[str, bool]]:
        """Names in a folder, and whether each is a folder; none where it cannot be listed."""
        if folder not in self._entries:
            self._entries[folder] = entries(self.root / folder)
        return self._entries[folder]

    def folders(self, folder: str) -> list[str]:
        """The names of the sub-folders, sorted, without strays."""
        return sorted(name for name, is_folder in self.entries(folder) if is_folder and not is_stray(name))

    def files(self, folder: str) -> list[str]:
        """The names of the NIfTI files in a folder, sorted, without strays; folders do not count."""
        return sorted(
            name
            for name, is_folder in self.entries(folder)
            if not is_folder and stem_of(name) is not None and not is_awkward(name)
        )

    def named(self, folder: str) -> list[Named]:
        """The entries that are named like a file of a case; a folder of this name gives the files inside it."""
        if folder not in self._named:
            self._named[folder] = [
                Named(*found, path)
                for name, is_folder in self.entries(folder)
                if (found := self._of(name, folder)) and not is_awkward(name)
                for path in (self._inside(join(folder, name)) if is_folder else [join(folder, name)])
            ]
        return self._named[folder]

    def images(self, folder: str) -> list[Named]:
        """As `named`; where there is none, those in a folder in it of the same name, as archives leave it."""
        return self.named(folder) or (self.named(join(folder, last(folder))) if folder else [])

    def is_file(self, name: str) -> bool:
        """Whether a name, of a folder too, is that of a file of a case."""
        return role_of(name, self.task) is not None or (self.volumes and stem_of(name) is not None)

    def _of(self, name: str, folder: str) -> tuple[str, tuple[str, ...]] | None:
        if found := role_of(name, self.task):
            return found[0], (found[1],)
        stem = stem_of(name) if self.volumes else None
        if stem is None:
            return None
        return stem, (MASK,) if is_of_masks(last(folder)) else self.task.channel_names

    def _inside(self, folder: str) -> list[str]:
        return [join(folder, name) for name in self.files(folder)]


def entries(folder: Path) -> list[tuple[str, bool]]:
    """Names in a folder, and whether each is a folder; none where it cannot be listed, which `check_case` reports."""
    try:
        with os.scandir(folder) as found:
            return [(entry.name, _is_folder(entry)) for entry in found]
    except OSError:
        return []


def join(folder: str, name: str) -> str:
    """The path of a name in a folder, "" being the root."""
    return f"{folder}/{name}" if folder else name


def last(path: str) -> str:
    """The last name of a path."""
    return path.rpartition("/")[2]


def is_of_masks(name: str) -> bool:
    """Whether a folder is called as one that holds masks and no images."""
    return _OF_MASKS.fullmatch(name) is not None


def gathered(found: Iterable[Named]) -> dict[str, tuple[str, ...]]:
    """The files of one case by role."""
    files: dict[str, list[str]] = {}
    for named in found:
        for role in named.roles:
            files.setdefault(role, []).append(named.path)
    return {role: tuple(sorted(files[role])) for role in sorted(files)}


def few(names: Iterable[str], most: int = 5) -> Message:
    """Some names, and how many more there are."""
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or into a closed folder
        return False
