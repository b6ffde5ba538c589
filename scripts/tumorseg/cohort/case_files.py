"""A case, the paths of its files, and the shard that it belongs to, as planning passes them to jobs."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CaseFiles:
    """A case: its name, its files, and where they lie.

    case: the name, unlike that of any other case. files: for each role (see `naming.roles`) that is there, the paths of
    its files relative to the root, with `/`; more than one where it stands there twice, as `.nii` beside `.nii.gz`.
    folder: the path of its own folder relative to the root; None where it has none, as where the files of many cases
    lie side by side. A case whose folder has an awkward name (see `naming.is_awkward`) has no files, and `case` shows
    that name. patient: where the place of the case says it, else None. sheet: whether a sample sheet names its files.
    """

    case: str
    files: dict[str, tuple[str, ...]]
    folder: str | None
    patient: str | None = None
    sheet: bool = False

    def paths(self) -> list[str]:
        """The paths of all its files, by role; a file that holds several roles is there once."""
        return list(dict.fromkeys(path for role in sorted(self.files) for path in self.files[role]))


def case_to_json(case: CaseFiles) -> str:
    """A case as one line of JSON with sorted keys."""
    content: dict[str, Any] = {"case": case.case, "files": case.files}
    if case.folder != case.case:
        content["folder"] = case.folder
    if case.patient is not None:
        content["patient"] = case.patient
    if case.sheet:
        content["sheet"] = True
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def case_from_json(text: str) -> CaseFiles:
    """The case that `to_json` wrote."""
    content = json.loads(text)
    files = {role: tuple(paths) for role, paths in content["files"].items()}
    folder, patient = content.get("folder", content["case"]), content.get("patient")
    return CaseFiles(content["case"], files, folder, patient, content.get("sheet", False))


def shard_of(case: str, shards: int) -> str:
    """The batch of a case, such as `batch-007`, among `batches` of them.

    It depends on the case's own id only, so that a case that comes or goes leaves all others where they are.
    """
    number = int.from_bytes(hashlib.sha256(case.encode()).digest()[:8], "big") % shards
    return f"batch-{number:03d}"
