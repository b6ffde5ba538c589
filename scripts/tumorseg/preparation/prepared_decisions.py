"""Remember between plannings which patients are prepared already, since deciding reads voxels."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tumorseg.errors import UserError
from tumorseg.io.files import read_json, write_json
from tumorseg.preparation.prepared_check import PreparedDecision, preparation_need
from tumorseg.task import Task


class RememberedDecisions:
    """Decisions by the paths, sizes and times of a patient's files.

    All are made anew without a valid file, and after a change of the task, of the limit or of the deciding code.
    """

    def __init__(self, path: Path, task: Task, max_voxels: int, code: str) -> None:
        """Read the decisions of earlier plannings.

        Args:
            path: JSON file that keeps the decisions.
            task: defines the channels.
            max_voxels: largest number of voxels of a volume that is read.
            code: digest of the code that decides.
        """
        self._basis = [task.to_json(), max_voxels, code]
        self._path, self._task, self._max_voxels = path, task, max_voxels
        self._known: dict[str, Any] = {}
        self._used: dict[str, Any] = {}
        with suppress(OSError, UserError, ValueError, LookupError, TypeError):
            content = read_json(path)
            if isinstance(content, dict) and content.get("basis") == self._basis:
                self._known = dict(content["decisions"])

    def decide(self, files: Mapping[str, Path]) -> PreparedDecision:
        """Return whether a patient is prepared already.

        Args:
            files: file of each channel that the patient has.
        """
        key = "\n".join(f"{channel} {_signature(path)}" for channel, path in sorted(files.items()))
        reasons = self._known.get(key)
        if not isinstance(reasons, list):
            reasons = list(preparation_need(files, self._task, self._max_voxels).reasons)
        self._used[key] = reasons
        return PreparedDecision(not reasons, tuple(map(str, reasons)))

    def save(self) -> None:
        """Write the decisions that were used; nothing if they are those in the file, or if it cannot be written."""
        if self._used != self._known:
            with suppress(OSError, UserError):
                write_json(self._path, {"basis": self._basis, "decisions": self._used})


def _signature(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return f"{path} missing"
    return f"{os.path.abspath(path)} {status.st_size} {status.st_mtime_ns}"  # noqa: PTH100 - keeps links
