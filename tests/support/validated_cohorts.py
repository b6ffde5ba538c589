"""Validate a folder of cases as the rules do."""

import shutil
from pathlib import Path
from typing import Any

from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.cohort_check import check_cohort
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.manifest import build_manifest
from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.task import Task


def validate_cohort(root: Path, task: Task, labels: str = "auto") -> list[ValidationResult]:
    return [validate_case(root, case, task=task, shape=None, labels=labels)[0] for case in discover_cases(root, task)]


def cohort_check_result(results: list[ValidationResult], task: Task, labels: str = "auto") -> dict[str, Any]:
    """Return the facts of the cohort. A UserError is raised if the target `validate` would stop."""
    table = build_manifest(results, task=task)
    return check_cohort(table, manifest_path=Path("manifest.tsv"), task=task, labels=labels, expected_usable=None)


def copy_renamed(root: Path, folder: Path, name) -> Path:
    """Copy the cases below `root` with new names for cases and files: `name(number, old name)`."""
    for number, case in enumerate(sorted(root.iterdir())):
        new = name(number, case.name)
        for file in case.iterdir():
            target = folder / new / file.name.replace(case.name, new)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    return folder
