"""Read the files of a case, one role at a time, and report missing, unreadable and duplicate files."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from glob import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import archive_content, case_and_role, nifti_stem
from tumorseg.cohort.image_checks import volume_count_problem
from tumorseg.cohort.layouts.listing import abbreviate
from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.geometry import same_grid
from tumorseg.io.volume import Volume, read_volume
from tumorseg.io.volume_errors import DVC_NOT_PULLED, VolumeError
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.task import Task

CLOCK_TOLERANCE_S: Final = 120
"""Tolerated difference between the clocks of two computers; a file with a later date is dated in the future."""
_OTHER_FORMAT_NAME: Final = re.compile(
    r"(?P<stem>.+?)\.(?:hdr|img|img\.gz|mh[ad]|n?rrd|nhdr|mg[hz]|mnc|dcm|ima|h5|np[yz]|nii\.(?:bz2|xz|zst))",
    re.IGNORECASE,
)
"""File names of volumes in other formats or with another compression."""


@dataclass
class ReadResult:
    """The issues and facts from reading the files of a role.

    Attributes:
        problems: issues that drop the case.
        warnings: issues that do not.
        facts: facts about the file that is used, see `ValidationResult`; empty if no file could be read.
        others: facts about each other file.
    """

    problems: list[Issue] = field(default_factory=list)
    warnings: list[Issue] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)


def read_role(
    root: Path, paths: Sequence[str], max_voxels: int = DEFAULT_MAX_VOXELS
) -> tuple[ReadResult, Volume | None]:
    """Read the files of a role and use the first valid one. Other files must have the same voxels.

    Args:
        root: folder that the paths are relative to.
        paths: paths of the files.
        max_voxels: maximum number of voxels of a volume, see `read_volume`.

    Returns:
        The issues and facts, and the volume that is used, None if no file could be read.
    """
    result, used = ReadResult(), None
    for path in paths:
        try:
            volume = read_volume(root / path, max_voxels)
        except VolumeError as error:
            result.problems.append(Issue(error.code, path, error.message))
            result.others.append(_file_facts(path, error))
            continue
        if used is None:
            used = volume
            result.facts = _file_facts(path, volume)
            result.warnings.extend(_file_warnings(path, volume))
            continue
        result.others.append(_file_facts(path, volume))
        if same_grid(volume, used) and np.array_equal(volume.array, used.array, equal_nan=True):
            message = f"the file has the same voxels as {result.facts['path']}, which is used instead"
            result.warnings.append(Issue("duplicate_file", path, message))
        else:
            message = f"the file and {result.facts['path']} have different voxels; remove the wrong one"
            result.problems.append(Issue("duplicate_modality", path, message))
    return result, used


class CaseReader:
    """Reads the files of a case, one role at a time. A file with several channels is read once.

    Args:
        root: folder that the paths of `case_files` are relative to.
        case_files: the case.
        task: task of the case.
        names: names of all entries of the case folder.
        max_voxels: maximum number of voxels of a volume, see `read_volume`.
    """

    def __init__(
        self,
        root: Path,
        case_files: CaseFiles,
        task: Task,
        *,
        names: Sequence[str],
        max_voxels: int,
    ) -> None:
        self._root = root
        self._case_files = case_files
        self._task = task
        self._names = names
        self._max_voxels = max_voxels
        self._volume_indices = {channel.name: channel.volume for channel in task.channels if channel.volume is not None}
        self._shared: dict[tuple[str, ...], tuple[ReadResult, Volume | None]] = {}

    def read(self, role: str, unrecognised: Sequence[str]) -> tuple[ReadResult, Volume | None]:
        """Read a role.

        Args:
            role: a channel, or the mask.
            unrecognised: see `report_missing_file`.

        Returns:
            The issues and facts, and the volume, None if it could not be read.
        """
        paths = self._case_files.files.get(role, ())
        if self._case_files.from_sheet and (missing := self._missing_in_sheet(role, paths)):
            return missing, None
        if not paths:
            return report_missing_file(self._case_files.case, role, self._names, self._task, unrecognised), None
        if role not in self._volume_indices:
            return read_role(self._root, paths, self._max_voxels)
        if paths not in self._shared:
            self._shared[paths] = read_role(self._root, paths, self._max_voxels)
        shared, volume = self._shared[paths]
        result = replace(shared, problems=list(shared.problems), facts=dict(shared.facts))
        if volume is None:
            return result, None
        if problem := volume_count_problem(volume.shape, shared.facts["path"], len(self._volume_indices)):
            result.problems.append(problem)
            return result, None
        return result, volume.channel(self._volume_indices[role])

    def _missing_in_sheet(self, role: str, paths: Sequence[str]) -> ReadResult | None:
        """Report a role whose cell in the sample sheet is empty or names a missing file; None if all files exist."""
        if not paths:
            reason = "its cell in the sample sheet is empty; enter the path of the file, or remove the row"
            return _report_missing_role(self._case_files.case, role, self._task, reason)
        missing = [path for path in paths if not _exists(self._root / path)]
        if not missing:
            return None
        reason = f"the file {missing[0]} in the sample sheet does not exist; correct the path, or add the file"
        return _report_missing_role(self._case_files.case, role, self._task, reason, named=True)


def _file_warnings(path: str, volume: Volume) -> Iterator[Issue]:
    """Yield the warnings about a file that can be read."""
    if volume.trailing_bytes:
        message = (
            f"{volume.trailing_bytes} bytes follow the end of the compressed content, which is valid; they are ignored"
        )
        yield Issue("trailing_bytes", path, message)
    if volume.orientation_warning:
        yield Issue(volume.orientation_warning.code, path, volume.orientation_warning.message)
    if volume.modified_s > time.time() + CLOCK_TOLERANCE_S:
        message = (
            "the file is dated in the future; correct the clock of the computer that wrote it, then `touch` the file"
        )
        yield Issue("dated_in_future", path, message)


def _file_facts(path: str, file: Volume | VolumeError) -> dict[str, Any]:
    facts = {"path": path, "bytes": file.size_bytes, "digest": file.digest}
    return facts | {"voxels": file.array.size} if isinstance(file, Volume) else facts


def report_missing_file(
    case: str, role: str, names: Sequence[str], task: Task, unrecognised: Sequence[str] = ()
) -> ReadResult:
    """Report a role without a file, with a remedy that depends on the other files of the case.

    Args:
        case: name of the case.
        role: the missing channel, or the mask.
        names: names of all entries of the case folder.
        task: task of the case.
        unrecognised: names of files that may be images but have no role.

    Returns:
        The problem `missing_modality` or `missing_mask`; `not_downloaded` if the folder has a DVC pointer to the file;
        the warning `optional_channel_missing` if the channel is optional and no file can hold its image.
    """
    for name in names:
        if name.endswith(".dvc") and _role_from_name(name.removesuffix(".dvc"), task) == role:
            return ReadResult([Issue("not_downloaded", f"{case}/{name}", DVC_NOT_PULLED)])
    endings = [ending for ending, role_of_ending in task.file_endings if role_of_ending == role]
    text = "no file was found for it"
    if not endings and all(channel.volume is None for channel in task.channels):
        text += f", and the task {task.name} defines no file name ending for it (the key `files`)"
    if endings:
        text = f"no file named {case}-{endings[0]}.nii.gz or {case}_{endings[-1]}.nii.gz is in its folder"
    others = [
        name
        for name in names
        if (match := _OTHER_FORMAT_NAME.fullmatch(name)) and _role_from_name(f"{match['stem']}.nii", task) == role
    ]
    archives = [name for name in names if _may_contain(name, role, task)]
    if others:
        what = "the pair" if any(name.lower().endswith(".hdr") for name in others) else "it"
        text += f"; found {' and '.join(others)}: convert {what} to .nii.gz"
    elif archives:
        text += f"; add it, perhaps by extracting the archive {archives[0]}"
    else:
        text += "; rename its file, or add it" if unrecognised else "; add it"
    if rest := [name for name in unrecognised if name not in others]:
        text += f". Found, but not understood: {abbreviate(rest)}"
    if (others or archives) and _is_optional(role, task):
        text += f". If the case has no {task.channel_titles[role]}, move {' and '.join(others or archives)} elsewhere"
    return _report_missing_role(case, role, task, text, named=bool(others or archives))


def _may_contain(name: str, role: str, task: Task) -> bool:
    """Return whether a file is an archive that may contain the image of a role: its name shows no other role."""
    content = archive_content(name)
    if content is None:
        return False
    return _role_from_name(f"{nifti_stem(content) or content}.nii", task) in (None, role)


def _is_optional(role: str, task: Task) -> bool:
    return any(channel.optional for channel in task.channels if channel.name == role)


def _report_missing_role(case: str, role: str, task: Task, reason: Message, *, named: bool = False) -> ReadResult:
    """Return `missing_mask`, `missing_modality`, or a warning for an optional channel.

    named: whether the sample sheet names a file for the role, or a file that is there may hold it.
    """
    if role == "seg":
        return ReadResult([Issue("missing_mask", case, f"the mask is missing: {reason}")])
    message = f"{task.channel_titles[role]} is missing: {reason}"
    if not named and _is_optional(role, task):
        return ReadResult(warnings=[Issue("optional_channel_missing", case, message)])
    return ReadResult([Issue("missing_modality", case, message)])


def _exists(path: Path) -> bool:
    """Return whether a file or a link exists; True if a folder above it cannot be read."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it reports the error
    return True


def _role_from_name(name: str, task: Task) -> str | None:
    found = case_and_role(name, task)
    return found[1] if found else None


def closed_folder_problem(root: Path, case: CaseFiles, error: OSError) -> Issue:
    """Return the problem `unreadable` of a case whose folder cannot be listed.

    Args:
        root: folder that the paths of `case` are relative to.
        case: the case.
        error: error that listing the folder raised.

    Returns:
        The problem. Its message names the archive beside the folder, if the case is still packed in one.
    """
    folder = root / (case.folder or "")
    names = sorted(path.name for path in folder.parent.glob(f"{escape(folder.name)}.*"))
    archive = next((name for name in names if archive_content(name) == folder.name), None)
    message = (
        f"the case is still packed in {archive}; extract it there"
        if archive
        else f"the folder cannot be listed ({error.strerror}); check its permissions and the disk"
    )
    return Issue("unreadable", case.case, message)
