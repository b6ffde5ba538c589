"""Statistics of a cohort: issues, grids, mask conventions, tumour volumes, intensities and outliers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from tumorseg.cohort.case_summary import CaseIssue, CaseSummary, volume_names
from tumorseg.cohort.validation_result import PROBLEM_CODES, WARNING_CODES
from tumorseg.formatting import format_count, format_list
from tumorseg.task import Task
from tumorseg.task.conventions import describe_convention, labels_written_differently

VOLUME_BINS: Final = 20


@dataclass(frozen=True)
class VolumeSummary:
    """One label, or the whole tumour, over the cases that have it.

    quartiles: smallest, lower quartile, median, upper quartile and largest in ml; empty where no case has it. bins:
    cases in `BINS` equal parts from 0 to the largest.
    """

    key: str
    name: str
    present: int
    absent: int
    quartiles: tuple[float, ...]
    bins: tuple[int, ...]


def summarise_volumes(cases: Sequence[CaseSummary], task: Task) -> list[VolumeSummary]:
    """The facts of each label and of the whole tumour, over the cases whose volumes are known."""
    return [
        _volume_summary(key, name, [case.volumes[key] for case in cases if case.volumes])
        for key, name in volume_names(task).items()
    ]


def _volume_summary(key: str, name: str, volumes: Sequence[float]) -> VolumeSummary:
    present = [volume for volume in volumes if volume > 0]
    absent = len(volumes) - len(present)
    if not present:
        return VolumeSummary(key, name, 0, absent, (), ())
    quartiles = tuple(float(value) for value in np.percentile(present, (0, 25, 50, 75, 100)))
    bins = tuple(int(count) for count in np.histogram(present, VOLUME_BINS, (0, quartiles[-1]))[0])
    return VolumeSummary(key, name, len(present), absent, quartiles, bins)


INTENSITY_STATISTICS: Final = {
    "min": "Minimum",
    "p01": "1st percentile",
    "median": "Median",
    "p99": "99th percentile",
    "max": "Maximum",
}
"""The figures of an image, by their key in the facts of a case."""
OUTLIER_Z_SCORE: Final = 5.0
"""Robust z beyond which a case stands out."""
MAX_OUTLIERS_NAMED: Final = 3
"""Cases at most that are named for a modality."""
_MAD_TO_SD: Final = 1.4826  # of a normal distribution: its standard deviation, in median absolute deviations


@dataclass(frozen=True)
class Outlier:
    """A case whose median stands out. score: its robust z among the medians of all cases."""

    case: CaseSummary
    median: float
    score: float


@dataclass(frozen=True)
class IntensitySummary:
    """One modality. spans: smallest, median and largest over the cases of each of `FIGURES`; empty without cases.

    unusual: how many cases stand out. outliers: the farthest of them, `NAMED` at most.
    """

    name: str
    cases: int
    spans: dict[str, tuple[float, float, float]]
    unusual: int
    outliers: tuple[Outlier, ...]


def summarise_intensities(cases: Sequence[CaseSummary], task: Task) -> list[IntensitySummary]:
    """The facts of each modality, over the cases whose intensities are known."""
    return [
        _intensity_summary(channel.name, channel.title, [case for case in cases if case.intensities.get(channel.name)])
        for channel in task.channels
    ]


def _intensity_summary(modality: str, title: str, cases: Sequence[CaseSummary]) -> IntensitySummary:
    if not cases:
        return IntensitySummary(title, 0, {}, 0, ())
    columns = {figure: [case.intensities[modality][figure] for case in cases] for figure in INTENSITY_STATISTICS}
    scores = robust_z_scores(columns["median"])
    outliers = sorted(
        (
            Outlier(case, middle, score)
            for case, middle, score in zip(cases, columns["median"], scores, strict=True)
            if abs(score) > OUTLIER_Z_SCORE
        ),
        key=lambda outlier: (-abs(outlier.score), outlier.case.case),
    )
    return IntensitySummary(
        name=title,
        cases=len(cases),
        spans={figure: (min(values), median(values), max(values)) for figure, values in columns.items()},
        unusual=len(outliers),
        outliers=tuple(outliers[:MAX_OUTLIERS_NAMED]),
    )


def robust_z_scores(values: Sequence[float]) -> list[float]:
    """Distance of each value from the median in median absolute deviations, scaled to be a z of normal values.

    All 0 where more than half of the values are equal, since there is nothing to measure by.
    """
    middle = median(values)
    spread = _MAD_TO_SD * median(abs(value - middle) for value in values)
    return [(value - middle) / spread if spread else 0.0 for value in values]


@dataclass(frozen=True)
class IssueSummary:
    """A code, what it means, and the cases that have it."""

    code: str
    meaning: str
    cases: list[CaseSummary]


@dataclass(frozen=True)
class GridSummary:
    """A grid in words, and how many cases are on it."""

    grid: str
    usable: int
    dropped: int


@dataclass(frozen=True)
class CohortOverview:
    """All that the page says. Patients, conventions, volumes and intensities are those of the usable cases.

    conventions: of the masks, in words, with the number of cases; empty where the task has one only. grids: the most
    common among the usable cases first. notes: what a reader must not overlook, and the anchor of the section with the
    details.
    """

    cases: list[CaseSummary]
    usable: list[CaseSummary]
    dropped: list[CaseSummary]
    patients: int
    conventions: dict[str, int]
    problems: list[IssueSummary]
    warnings: list[IssueSummary]
    grids: list[GridSummary]
    volumes: list[VolumeSummary]
    intensities: list[IntensitySummary]
    notes: list[tuple[str, str]]


def summarise_cohort(cases: Sequence[CaseSummary], task: Task, patient_warnings: Sequence[str] = ()) -> CohortOverview:
    """Compute what the page says of the cases, which come sorted. doubts: about their patients, in sentences."""
    usable = [case for case in cases if case.usable]
    dropped = [case for case in cases if not case.usable]
    grids = _grids(cases)
    conventions = _conventions(usable, task)
    return CohortOverview(
        cases=list(cases),
        usable=usable,
        dropped=dropped,
        patients=len({case.patient for case in usable}),
        conventions={describe_convention(task, name): count for name, count in conventions.items()},
        problems=_issues_by_code(dropped, lambda case: case.problems, PROBLEM_CODES),
        warnings=_issues_by_code(cases, lambda case: case.warnings, WARNING_CODES),
        grids=grids,
        volumes=summarise_volumes(usable, task),
        intensities=summarise_intensities(usable, task),
        notes=[
            *_notes(usable, dropped, grids, {name: count for name, count in conventions.items() if name}, task),
            *((f"{doubt[0].upper()}{doubt[1:]}.", "cases") for doubt in patient_warnings),
        ],
    )


def _conventions(cases: Sequence[CaseSummary], task: Task) -> dict[str, int]:
    """How many masks follow each convention, in the task's order; those that show none, by an empty name, last."""
    if not labels_written_differently(task):
        return {}
    counts = Counter(case.convention for case in cases)
    return {name: counts[name] for name in (*task.conventions, "") if counts[name]}


def _issues_by_code(
    cases: Sequence[CaseSummary],
    findings: Callable[[CaseSummary], Sequence[CaseIssue]],
    descriptions: Mapping[str, str],
) -> list[IssueSummary]:
    """The codes that occur, the most frequent first."""
    found: dict[str, list[CaseSummary]] = {code: [] for code in descriptions}
    for case in cases:
        for code in dict.fromkeys(told.code for told in findings(case)):
            found[code].append(case)
    facts = [IssueSummary(code, descriptions[code], affected) for code, affected in found.items() if affected]
    return sorted(facts, key=lambda fact: -len(fact.cases))


def _grids(cases: Sequence[CaseSummary]) -> list[GridSummary]:
    usable = Counter(case.grid for case in cases if case.usable)
    dropped = Counter(case.grid for case in cases if not case.usable and case.grid)
    grids = [GridSummary(grid, usable[grid], dropped[grid]) for grid in {**usable, **dropped}]
    return sorted(grids, key=lambda facts: (-facts.usable, -facts.dropped, facts.grid))


def _notes(
    usable: Sequence[CaseSummary],
    dropped: Sequence[CaseSummary],
    grids: Sequence[GridSummary],
    conventions: dict[str, int],
    task: Task,
) -> list[tuple[str, str]]:
    notes = []
    if not usable:
        notes.append(("No case is usable.", "reasons"))
    if dropped:
        notes.append((f"{len(dropped):,} of {format_count(len(usable) + len(dropped), 'case')} dropped.", "reasons"))
    several = sum(grid.usable > 0 for grid in grids)
    if several > 1:
        notes.append((f"The usable cases are on {several} different grids.", "grids"))
    if len(conventions) > 1:
        each = [
            f"{describe_convention(task, name)} in {format_count(count, 'case')}" for name, count in conventions.items()
        ]
        notes.append((f"The masks follow {len(conventions)} conventions: {format_list(each)}.", "cases"))
    return notes
