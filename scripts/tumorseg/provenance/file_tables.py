"""Tables of the raw files that a run has read and of the masks that it has written, with digests."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.errors import UserError
from tumorseg.io.files import sha256
from tumorseg.task import Task, load_task, task_path


def task_file_text(name: str, task: Task) -> str:
    """The text of the file of a task, by what `cohort.task` says.

    Raises UserError where it is no longer the file of `task`, that of the run.
    """
    found = load_task(name)
    if (found if task.label_map is None else found.with_label_map(task.label_map)) != task:
        raise UserError(f"cohort.task: {name} was changed while the workflow ran; run it again")
    return task_path(name).read_text(encoding="utf-8")


def raw_file_table(verdicts: Iterable[ValidationResult]) -> pd.DataFrame:
    """A row a raw file, of usable cases and of dropped ones, damaged ones included, by case, role and path.

    Columns `case`, `usable` (true or false, of the case by itself), `role` (a channel, or seg), `path` (relative
    to the cohort's folder), `bytes` (on disk) and `xxh3_128` (of these bytes, hexadecimal), empty where the file is
    too large to be read (see `largest.largest_file`) or cannot be.
    """
    rows = [
        (verdict.case, str(verdict.usable).lower(), file["role"], file["path"], file["bytes"], file["digest"])
        for verdict in verdicts
        for file in _case_files(verdict)
    ]
    table = pd.DataFrame(rows, columns=["case", "usable", "role", "path", "bytes", "xxh3_128"])
    return table.astype({"bytes": "Int64"}).sort_values(["case", "role", "path"], ignore_index=True)


def _case_files(verdict: ValidationResult) -> list[dict[str, Any]]:
    taken = [{"role": role, **file} for role, file in verdict.facts["files"].items()]
    return [*taken, *verdict.facts["other_files"]]


def mask_table(folders: Iterable[Path], results: Path) -> pd.DataFrame:
    """A row a predicted mask in these folders below `results`: `path` (relative to it), `bytes` and `sha256`.

    Probabilities that lie beside the masks are none.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.nii.gz"))]
    rows = [
        (path.relative_to(results).as_posix(), path.stat().st_size, sha256(path))
        for path in paths
        if not path.name.endswith("-probabilities.nii.gz")
    ]
    return pd.DataFrame(rows, columns=["path", "bytes", "sha256"])
