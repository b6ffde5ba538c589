"""A case with the paths of its files, its form on command lines, and the shard it belongs to."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CaseFiles:
    """A case and the paths of its files. All paths are relative to the root of the cohort and use `/`.

    Attributes:
        case: unique name. If the folder's name is unusable (see `file_names.is_awkward_name`), a printable form of it.
        files: paths by role (see `file_names.roles`). A role has several paths if its file exists more than once, for
            example as `.nii` and `.nii.gz`. Empty if the folder's name is unusable.
        folder: folder of the case; None if the files of many cases share a folder.
        patient: patient, if the folder layout defines one; else None.
        from_sheet: whether a sample sheet lists the files.
    """

    case: str
    files: dict[str, tuple[str, ...]]
    folder: str | None
    patient: str | None = None
    from_sheet: bool = False

    def paths(self) -> list[str]:
        """Return the paths of all files, sorted by role; a file with several roles occurs once."""
        return list(dict.fromkeys(path for role in sorted(self.files) for path in self.files[role]))


def case_to_json(case: CaseFiles) -> str:
    """Return a case as one line of JSON with sorted keys."""
    content: dict[str, Any] = {"case": case.case, "files": case.files}
    if case.folder != case.case:
        content["folder"] = case.folder
    if case.patient is not None:
        content["patient"] = case.patient
    if case.from_sheet:
        content["sheet"] = True
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def case_from_json(text: str) -> CaseFiles:
    """Return the case that `case_to_json` wrote."""
    content = json.loads(text)
    files = {role: tuple(paths) for role, paths in content["files"].items()}
    folder, patient = content.get("folder", content["case"]), content.get("patient")
    return CaseFiles(content["case"], files, folder, patient, content.get("sheet", False))


def shard_of(case: str, shards: int) -> str:
    """Return the name of the shard of a case, for example `batch-007`.

    It depends only on the name of the case: adding or removing a case never moves another case to a different shard.

    Args:
        case: name of the case.
        shards: number of shards.

    Returns:
        `batch-` and a number below `shards`.
    """
    number = int.from_bytes(hashlib.sha256(case.encode()).digest()[:8], "big") % shards
    return f"batch-{number:03d}"
