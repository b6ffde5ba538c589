"""What the page says of a single case."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import pandas as pd

from tumorseg.cohort.manifest import drop_duplicates
from tumorseg.cohort.verdict import Finding, Verdict
from tumorseg.errors import UserError
from tumorseg.task import Task

WHOLE: Final = "whole"


def volume_names(task: Task) -> dict[str, str]:
    """The name of each volume of a case, by its key: the labels, then the whole tumour where that is more than one."""
    names = {f"label_{label.value}": f"Label {label.value}: {label.title}" for label in task.labels}
    whole = task.regions[0]
    return names if len(whole.labels) == 1 else {**names, WHOLE: whole.title[0].upper() + whole.title[1:]}


@dataclass(frozen=True)
class Told:
    """A finding. file: within the case folder, empty where it is about no single file."""

    code: str
    file: str
    message: str


@dataclass(frozen=True)
class Case:
    """A row of the manifest with its findings in full.

    anchor: of the case on the page. convention: empty where the mask tells none. grid: shape and spacing in words,
    empty where no image could be read. volumes: millilitres by `volume_names`, empty where unknown. intensities: of
    each modality, see `images.intensity_facts`.
    """

    case: str
    anchor: str
    patient: str
    usable: bool
    problems: tuple[Told, ...]
    warnings: tuple[Told, ...]
    convention: str
    grid: str
    volumes: dict[str, float]
    intensities: dict[str, dict[str, float]]


def read_cases(table: pd.DataFrame, verdicts: Sequence[Verdict], task: Task) -> list[Case]:
    """The cases of a manifest and of the verdicts behind it, sorted by case.

    Raises UserError where the two are not about the same cases.
    """
    ordered = drop_duplicates(sorted(verdicts, key=lambda verdict: verdict.case))
    rows = table.to_dict("records")
    if [row["case"] for row in rows] != [verdict.case for verdict in ordered]:
        raise UserError("the manifest and the verdicts are about different cases; make the manifest anew")
    return [_case(number, *both, task) for number, both in enumerate(zip(rows, ordered, strict=True), start=1)]


def _case(number: int, row: dict[str, Any], verdict: Verdict, task: Task) -> Case:
    return Case(
        case=verdict.case,
        anchor=f"case-{number}",
        patient=row["patient"],
        usable=row["usable"],
        problems=_told(verdict.case, verdict.problems),
        warnings=_told(verdict.case, verdict.warnings),
        convention=row["convention"],
        grid=_grid(verdict.facts),
        volumes=_volumes(verdict.facts, task),
        intensities=verdict.facts.get("intensities", {}),
    )


def _told(case: str, findings: Sequence[Finding]) -> tuple[Told, ...]:
    return tuple(
        Told(found.code, "" if found.file == case else found.file.removeprefix(f"{case}/"), found.message)
        for found in findings
    )


def _grid(facts: dict[str, Any]) -> str:
    if "shape" not in facts:
        return ""
    edges = dict.fromkeys(f"{edge:.4g}" for edge in facts["spacing"])
    spacing = edges if len(edges) == 1 else [f"{edge:.4g}" for edge in facts["spacing"]]
    return f"{' × '.join(map(str, facts['shape']))} voxels of {' × '.join(spacing)} mm"


def _volumes(facts: dict[str, Any], task: Task) -> dict[str, float]:
    if "spacing" not in facts or any(structure not in facts for structure in task.label_structures):
        return {}
    millilitres = prod(facts["spacing"]) / 1000
    voxels = {structure: facts[structure] for structure in task.label_structures}
    voxels[WHOLE] = sum(facts[f"label_{label}"] for label in task.regions[0].labels)
    return {key: voxels[key] * millilitres for key in volume_names(task)}
