"""Build tables of the raw files and the predicted masks of a run, with digests."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.task import Task, load_task, task_path


def task_file_text(name: str, task: Task) -> str:
    """Return the text of a task file.

    Args:
        name: value of `cohort.task`.
        task: the task that the run has used.

    Returns:
        The text.

    Raises:
        UserError: the file was changed during the run and no longer defines `task`.
    """
    found = load_task(name)
    if (found if task.label_map is None else found.with_label_map(task.label_map)) != task:
        raise UserError(f"cohort.task: {name} was changed while the workflow was running; run the workflow again")
    return task_path(name).read_text(encoding="utf-8")


def raw_file_table(results: Iterable[ValidationResult]) -> pd.DataFrame:
    """Return a table with one row for each raw file, including those of dropped cases.

    Args:
        results: validation results of all cases.

    Returns:
        A table sorted by case, role and path, with the columns

        - `case`;
        - `usable`: true or false, before the check of the cohort;
        - `role`: a channel, or seg;
        - `path`: relative to the cohort's folder;
        - `bytes`: size on disk;
        - `xxh3_128`: digest of these bytes, hexadecimal; empty if the file is unreadable or too large to be read.
    """
    rows = [
        (result.case, str(result.usable).lower(), file["role"], file["path"], file["bytes"], file["digest"])
        for result in results
        for file in _case_files(result)
    ]
    table = pd.DataFrame(rows, columns=["case", "usable", "role", "path", "bytes", "xxh3_128"])
    return table.astype({"bytes": "Int64"}).sort_values(["case", "role", "path"], ignore_index=True)


def _case_files(result: ValidationResult) -> list[dict[str, Any]]:
    used = [{"role": role, **file} for role, file in result.facts["files"].items()]
    return [*used, *result.facts["other_files"]]


def mask_table(folders: Iterable[Path], results: Path) -> pd.DataFrame:
    """Return a table with one row for each predicted mask, without files of probabilities.

    Args:
        folders: with the masks.
        results: the folder of all results.

    Returns:
        The columns `path` (relative to `results`), `bytes` and `sha256`.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.nii.gz"))]
    rows = [
        (path.relative_to(results).as_posix(), path.stat().st_size, sha256(path))
        for path in paths
        if not path.name.endswith("-probabilities.nii.gz")
    ]
    return pd.DataFrame(rows, columns=["path", "bytes", "sha256"])
