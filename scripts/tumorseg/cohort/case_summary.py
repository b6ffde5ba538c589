"""Combine a row of the manifest with the case's issues, grid, volumes and intensities for the cohort page."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.manifest import final_results, manifest_exclusions
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import UserError
from tumorseg.task import Task

WHOLE_TUMOUR: Final = "whole"


def tumour_volume_titles(task: Task) -> dict[str, str]:
    """Return the title of each tumour volume in `CaseSummary.volumes_ml`, by its key.

    The labels come first, then the whole tumour if it has several labels.
    """
    titles = {f"label_{label.value}": f"Label {label.value}: {label.title}" for label in task.labels}
    whole = task.regions[0]
    return titles if len(whole.labels) == 1 else {**titles, WHOLE_TUMOUR: whole.title[0].upper() + whole.title[1:]}


@dataclass(frozen=True)
class CaseIssue:
    """An issue. `file` is relative to the case folder, and empty if the issue concerns no single file."""

    code: str
    file: str
    message: str


@dataclass(frozen=True)
class CaseSummary:
    """A row of the manifest with all issues of the case.

    Attributes:
        case: name of the case.
        anchor: identifier of the case in the page's links.
        patient: patient of the case.
        usable: whether the case has no problem.
        problems: issues that drop the case.
        warnings: issues that do not.
        convention: label convention of the mask; empty if unknown.
        grid: shape and spacing as text; empty if no image could be read.
        volumes_ml: volumes by the keys of `tumour_volume_titles`; empty if unknown.
        brain_ml: estimated volume of the brain; None if unknown.
        intensities: intensity statistics of each modality, see `image_checks.image_intensity_facts`.
        exclusion: why `cohort.exclude` lists the case, empty without a reason; None if it does not.
    """

    case: str
    anchor: str
    patient: str
    usable: bool
    problems: tuple[CaseIssue, ...]
    warnings: tuple[CaseIssue, ...]
    convention: str
    grid: str
    volumes_ml: dict[str, float]
    brain_ml: float | None
    intensities: dict[str, dict[str, float]]
    exclusion: str | None


def summarise_cases(table: pd.DataFrame, results: Sequence[ValidationResult], task: Task) -> list[CaseSummary]:
    """Return the summaries of all cases, sorted by case.

    Args:
        table: the manifest.
        results: the validation results that the manifest was made from.
        task: task of the cohort.

    Returns:
        One summary per case.

    Raises:
        UserError: the manifest and the results have different cases.
    """
    exclusions = manifest_exclusions(table)
    ordered = final_results(results, exclusions)
    rows = table.to_dict("records")
    if [row["case"] for row in rows] != [result.case for result in ordered]:
        raise UserError(
            "the manifest and the validation results have different cases; delete the manifest and run again"
        )
    return [
        _case_summary(number, row, result, task, exclusions.get(result.case))
        for number, (row, result) in enumerate(zip(rows, ordered, strict=True), start=1)
    ]


def _case_summary(
    number: int, row: dict[str, Any], result: ValidationResult, task: Task, exclusion: str | None
) -> CaseSummary:
    return CaseSummary(
        case=result.case,
        anchor=f"case-{number}",
        patient=row["patient"],
        usable=row["usable"],
        problems=_case_issues(result.case, result.problems),
        warnings=_case_issues(result.case, result.warnings),
        convention=row["convention"],
        grid=_grid_text(result.facts),
        volumes_ml=_volumes_ml(result.facts, task),
        brain_ml=_brain_ml(result.facts),
        intensities=result.facts.get("intensities", {}),
        exclusion=exclusion,
    )


def _case_issues(case: str, issues: Sequence[Issue]) -> tuple[CaseIssue, ...]:
    return tuple(
        CaseIssue(issue.code, "" if issue.file == case else issue.file.removeprefix(f"{case}/"), issue.message)
        for issue in issues
    )


def _grid_text(facts: dict[str, Any]) -> str:
    if "shape" not in facts:
        return ""
    edges = dict.fromkeys(f"{edge:.4g}" for edge in facts["spacing"])
    spacing = edges if len(edges) == 1 else [f"{edge:.4g}" for edge in facts["spacing"]]
    return f"{' × '.join(map(str, facts['shape']))} voxels of {' × '.join(spacing)} mm"


def _volumes_ml(facts: dict[str, Any], task: Task) -> dict[str, float]:
    if "spacing" not in facts or any(structure not in facts for structure in task.label_structures):
        return {}
    millilitres = _voxel_ml(facts)
    voxels = {structure: facts[structure] for structure in task.label_structures}
    voxels[WHOLE_TUMOUR] = sum(facts[f"label_{label}"] for label in task.regions[0].labels)
    return {key: voxels[key] * millilitres for key in tumour_volume_titles(task)}


def _brain_ml(facts: dict[str, Any]) -> float | None:
    return facts["brain_voxels"] * _voxel_ml(facts) if "brain_voxels" in facts else None


def _voxel_ml(facts: dict[str, Any]) -> float:
    voxel_ml: float = prod(facts["spacing"]) / 1000
    return voxel_ml
