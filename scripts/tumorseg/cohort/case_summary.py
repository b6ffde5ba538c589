"""One row of the manifest with its issues, grid, volumes and intensities."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.manifest import mark_duplicate_cases
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import UserError
from tumorseg.task import Task

WHOLE_TUMOUR: Final = "whole"


def volume_names(task: Task) -> dict[str, str]:
    """The name of each volume of a case, by its key: the labels, then the whole tumour where that is more than one."""
    names = {f"label_{label.value}": f"Label {label.value}: {label.title}" for label in task.labels}
    whole = task.regions[0]
    return names if len(whole.labels) == 1 else {**names, WHOLE_TUMOUR: whole.title[0].upper() + whole.title[1:]}


@dataclass(frozen=True)
class CaseIssue:
    """A finding. file: within the case folder, empty where it is about no single file."""

    code: str
    file: str
    message: str


@dataclass(frozen=True)
class CaseSummary:
    """A row of the manifest with its findings in full.

    anchor: of the case on the page. convention: empty where the mask tells none. grid: shape and spacing in words,
    empty where no image could be read. volumes: millilitres by `volume_names`, empty where unknown. intensities: of
    each modality, see `images.intensity_facts`.
    """

    case: str
    anchor: str
    patient: str
    usable: bool
    problems: tuple[CaseIssue, ...]
    warnings: tuple[CaseIssue, ...]
    convention: str
    grid: str
    volumes: dict[str, float]
    intensities: dict[str, dict[str, float]]


def summarise_cases(table: pd.DataFrame, verdicts: Sequence[ValidationResult], task: Task) -> list[CaseSummary]:
    """The cases of a manifest and of the verdicts behind it, sorted by case.

    Raises UserError where the two are not about the same cases.
    """
    ordered = mark_duplicate_cases(sorted(verdicts, key=lambda verdict: verdict.case))
    rows = table.to_dict("records")
    if [row["case"] for row in rows] != [verdict.case for verdict in ordered]:
        raise UserError("the manifest and the verdicts are about different cases; make the manifest anew")
    return [_case_summary(number, *both, task) for number, both in enumerate(zip(rows, ordered, strict=True), start=1)]


def _case_summary(number: int, row: dict[str, Any], verdict: ValidationResult, task: Task) -> CaseSummary:
    return CaseSummary(
        case=verdict.case,
        anchor=f"case-{number}",
        patient=row["patient"],
        usable=row["usable"],
        problems=_case_issues(verdict.case, verdict.problems),
        warnings=_case_issues(verdict.case, verdict.warnings),
        convention=row["convention"],
        grid=_grid_text(verdict.facts),
        volumes=_volumes_ml(verdict.facts, task),
        intensities=verdict.facts.get("intensities", {}),
    )


def _case_issues(case: str, findings: Sequence[Issue]) -> tuple[CaseIssue, ...]:
    return tuple(
        CaseIssue(issue.code, "" if issue.file == case else issue.file.removeprefix(f"{case}/"), issue.message)
        for issue in findings
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
    millilitres = prod(facts["spacing"]) / 1000
    voxels = {structure: facts[structure] for structure in task.label_structures}
    voxels[WHOLE_TUMOUR] = sum(facts[f"label_{label}"] for label in task.regions[0].labels)
    return {key: voxels[key] * millilitres for key in volume_names(task)}
