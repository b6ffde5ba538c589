"""Validate a case that the preparation wrote: its files like those of any case, and what the preparation found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS
from tumorseg.preparation.step_record import RECORD_FILE, read_step_record
from tumorseg.task import Task


def validate_prepared_case(
    case_files: CaseFiles,
    *,
    task: Task,
    shape: Sequence[int] | None,
    labels: str,
    empty_masks: str = "drop",
    max_voxels: int = DEFAULT_MAX_VOXELS,
) -> tuple[ValidationResult, NDArray[np.uint8] | None]:
    """Return the validation result of a prepared case, and its preview.

    If the preparation failed, its problems are those of the case. Its warnings come before those of the validation.

    Args:
        case_files: all files that the preparation may have made, relative to the working directory.
        task: as for `validate_case`.
        shape: as for `validate_case`.
        labels: as for `validate_case`.
        empty_masks: as for `validate_case`.
        max_voxels: as for `validate_case`.

    Raises:
        UserError: the record of the preparation is missing or corrupted.
    """
    record = read_step_record(Path(str(case_files.folder)) / RECORD_FILE)
    if not record.succeeded:
        facts: dict[str, Any] = {"files": {}, "other_files": [], "not_understood": []}
        if case_files.patient is not None:
            facts["patient"] = case_files.patient
        return ValidationResult(case_files.case, False, record.problems, record.warnings, facts), None
    written = {f"{case_files.folder}/{name}" for name in record.facts["files"]}
    files = {role: paths for role, paths in case_files.files.items() if written.issuperset(paths)}
    result, preview = validate_case(
        Path(),
        replace(case_files, files=files),
        task=task,
        shape=shape,
        labels=labels,
        empty_masks=empty_masks,
        max_voxels=max_voxels,
    )
    return replace(result, warnings=(*record.warnings, *result.warnings)), preview
