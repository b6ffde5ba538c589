"""Read the files of a case, one role at a time, each to its last byte."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from glob import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import archive_content, case_and_role
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
"""Seconds that the clocks of two machines may differ by; a file dated later than that is dated in the future."""
_OTHER_FORMAT_NAME: Final = re.compile(
    r"(?P<stem>.+?)\.(?:hdr|img|img\.gz|mh[ad]|n?rrd|nhdr|mg[hz]|mnc|dcm|ima|h5|np[yz]|nii\.(?:bz2|xz|zst))",
    re.IGNORECASE,
)
"""Names of volumes in other formats, or compressed otherwise."""


@dataclass
class ReadResult:
    """What reading the files of a role brought.

    facts: those of the file that is taken, as in `Verdict`, or none. others: those of the other files, likewise.
    """

    problems: list[Issue] = field(default_factory=list)
    warnings: list[Issue] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)


def read_role(
    root: Path, paths: Sequence[str], max_voxels: int = DEFAULT_MAX_VOXELS
) -> tuple[ReadResult, Volume | None]:
    """Read the files of a role, below `root`, and take the first that can be read; the others should be equal to it.

    largest_voxels: see `read_volume`.
    """
    reading, taken = ReadResult(), None
    for path in paths:
        try:
            volume = read_volume(root / path, max_voxels)
        except VolumeError as damage:
            reading.problems.append(Issue(damage.code, path, damage.message))
            reading.others.append(_file_facts(path, damage))
            continue
        if taken is None:
            taken = volume
            reading.facts = _file_facts(path, volume)
            reading.warnings.extend(_file_warnings(path, volume))
            continue
        reading.others.append(_file_facts(path, volume))
        if same_grid(volume, taken) and np.array_equal(volume.array, taken.array, equal_nan=True):
            message = f"has the voxels of {reading.facts['path']}, which is used"
            reading.warnings.append(Issue("duplicate_file", path, message))
        else:
            message = f"stands beside {reading.facts['path']} and has other voxels; remove the one that is wrong"
            reading.problems.append(Issue("duplicate_modality", path, message))
    return reading, taken


class CaseReader:
    """Reads the files of a case one role at a time; a file that holds several channels only once.

    names: of all that is in the folder of the case. largest_voxels: see `read_volume`.
    """

    def __init__(
        self,
        root: Path,
        case_files: CaseFiles,
        task: Task,
        *,
        names: Sequence[str],
        largest_voxels: int,
    ) -> None:
        self._root = root
        self._case_files = case_files
        self._task = task
        self._names = names
        self._largest_voxels = largest_voxels
        self._places = {channel.name: channel.volume for channel in task.channels if channel.volume is not None}
        self._shared: dict[tuple[str, ...], tuple[ReadResult, Volume | None]] = {}

    def read(self, role: str, not_understood: Sequence[str]) -> tuple[ReadResult, Volume | None]:
        """What reading a role brought, and its volume, where one could be read. not_understood: see `missing`."""
        paths = self._case_files.files.get(role, ())
        if self._case_files.sheet and (lacking := self._lacking_in_sheet(role, paths)):
            return lacking, None
        if not paths:
            return report_missing_file(self._case_files.case, role, self._names, self._task, not_understood), None
        if role not in self._places:
            return read_role(self._root, paths, self._largest_voxels)
        if paths not in self._shared:
            self._shared[paths] = read_role(self._root, paths, self._largest_voxels)
        found, volume = self._shared[paths]
        reading = replace(found, problems=list(found.problems), facts=dict(found.facts))
        if volume is None:
            return reading, None
        if problem := volume_count_problem(volume.shape, found.facts["path"], len(self._places)):
            reading.problems.append(problem)
            return reading, None
        return reading, volume.channel(self._places[role])

    def _lacking_in_sheet(self, role: str, paths: Sequence[str]) -> ReadResult | None:
        """What the verdict says where the sample sheet names no file of a role, or one that is not there."""
        if not paths:
            why = "its cell in the sample sheet is empty; write the path of the file there, or remove the row"
            return _report_missing_role(self._case_files.case, role, self._task, why)
        gone = [path for path in paths if not _exists(self._root / path)]
        if not gone:
            return None
        why = f"there is no file {gone[0]}, which the sample sheet names; correct the path, or put the file there"
        return _report_missing_role(self._case_files.case, role, self._task, why, named=True)


def _file_warnings(path: str, volume: Volume) -> Iterator[Issue]:
    """What is unusual about a file that can be used."""
    if volume.trailing:
        message = f"{volume.trailing} bytes follow the end of the compressed content, which is sound; not read"
        yield Issue("trailing_bytes", path, message)
    if volume.orientation_note:
        yield Issue(volume.orientation_note.code, path, volume.orientation_note.message)
    if volume.modified_s > time.time() + CLOCK_TOLERANCE_S:
        message = "the file is dated in the future; correct the clock that wrote it, then `touch` the file"
        yield Issue("dated_in_future", path, message)


def _file_facts(path: str, file: Volume | VolumeError) -> dict[str, Any]:
    facts = {"path": path, "bytes": file.size, "digest": file.digest}
    return facts | {"voxels": file.array.size} if isinstance(file, Volume) else facts


def report_missing_file(
    case: str, role: str, names: Sequence[str], task: Task, unrecognised: Sequence[str] = ()
) -> ReadResult:
    """`missing_modality` or `missing_mask`, or `not_downloaded` where a pointer of DVC stands for the file.

    A channel that the task can do without gives the warning `optional_channel_missing`. names: of all that is in the
    folder of the case. unknown: of what there may be an image and is no file of the case.
    """
    for name in names:
        if name.endswith(".dvc") and _role_from_name(name.removesuffix(".dvc"), task) == role:
            return ReadResult([Issue("not_downloaded", f"{case}/{name}", DVC_NOT_PULLED)])
    endings = [ending for ending, of_role in task.file_endings if of_role == role]
    text = "no file of it was found"
    if not endings and all(channel.volume is None for channel in task.channels):
        text += f", and the task {task.name} does not say how its name ends (the key `files`)"
    if endings:
        text = f"no file named {case}-{endings[0]}.nii.gz or {case}_{endings[-1]}.nii.gz is in its folder"
    others = [
        name
        for name in names
        if (match := _OTHER_FORMAT_NAME.fullmatch(name)) and _role_from_name(f"{match['stem']}.nii", task) == role
    ]
    packed = [name for name in names if archive_content(name) is not None]
    if others:
        what = "the pair" if any(name.lower().endswith(".hdr") for name in others) else "it"
        text += f"; found {' and '.join(others)}: convert {what} to .nii.gz"
    elif packed:
        text += f"; add it, perhaps by extracting {packed[0]}, which is still packed"
    else:
        text += "; rename the file that it is, or add it" if unrecognised else "; add it"
    if rest := [name for name in unrecognised if name not in others]:
        text += f". Found, but not understood: {abbreviate(rest)}"
    return _report_missing_role(case, role, task, text)


def _report_missing_role(case: str, role: str, task: Task, reason: Message, *, named: bool = False) -> ReadResult:
    """`missing_mask`, `missing_modality` or, where the task can do without the image, a warning.

    named: whether a file was asked for by name; then the case cannot do without it.
    """
    if role == "seg":
        return ReadResult([Issue("missing_mask", case, f"the mask is missing: {reason}")])
    message = f"{task.channel_titles[role]} is missing: {reason}"
    if not named and any(channel.optional for channel in task.channels if channel.name == role):
        message = f"{message}. The task can do without it: the network is given 0 in its place"
        return ReadResult(warnings=[Issue("optional_channel_missing", case, message)])
    return ReadResult([Issue("missing_modality", case, message)])


def _exists(path: Path) -> bool:
    """Whether there is a file or a link, as far as the folders above can be looked into."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it says what is wrong
    return True


def _role_from_name(name: str, task: Task) -> str | None:
    found = case_and_role(name, task)
    return found[1] if found else None


def closed_folder_problem(root: Path, case: CaseFiles, error: OSError) -> Issue:
    """A case whose folder cannot be listed: it may be there in an archive only."""
    folder = root / (case.folder or "")
    names = sorted(path.name for path in folder.parent.glob(f"{escape(folder.name)}.*"))
    archive = next((name for name in names if archive_content(name) == folder.name), None)
    message = (
        f"the case is still packed in {archive}; extract it there"
        if archive
        else f"the folder cannot be listed ({error.strerror}); check its permissions and the disk"
    )
    return Issue("unreadable", case.case, message)
