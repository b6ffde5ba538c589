"""Compute statistics of a cohort: issues, grids, mask conventions, tumour volumes and intensities."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from tumorseg.cohort.case_summary import CaseIssue, CaseSummary, tumour_volume_titles
from tumorseg.cohort.outliers import Outlier, find_outliers
from tumorseg.cohort.validation_result import PROBLEM_CODES, WARNING_CODES
from tumorseg.formatting import format_count, format_list
from tumorseg.task import Task
from tumorseg.task.conventions import describe_convention, labels_written_differently

VOLUME_BINS: Final = 20


@dataclass(frozen=True)
class VolumeSummary:
    """The volumes of one label, or of the whole tumour, over the cases that have it.

    Attributes:
        key: key in `CaseSummary.volumes_ml`.
        name: name for readers.
        present: number of cases that have it.
        absent: number of cases without it.
        quartiles_ml: minimum, lower quartile, median, upper quartile and maximum; empty if no case has it.
        bins: number of cases in `VOLUME_BINS` equal bins from 0 to the maximum.
    """

    key: str
    name: str
    present: int
    absent: int
    quartiles_ml: tuple[float, ...]
    bins: tuple[int, ...]


def summarise_volumes(cases: Sequence[CaseSummary], task: Task) -> list[VolumeSummary]:
    """Summarise the volumes of each label and of the whole tumour, over the cases whose volumes are known."""
    return [
        _volume_summary(key, name, [case.volumes_ml[key] for case in cases if case.volumes_ml])
        for key, name in tumour_volume_titles(task).items()
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
"""Title of each intensity statistic of an image, by its key in the facts of a case."""


@dataclass(frozen=True)
class IntensitySummary:
    """The intensities of one modality over all cases.

    Attributes:
        name: title of the modality.
        cases: number of cases that have it.
        spans: minimum, median and maximum over the cases of each of `INTENSITY_STATISTICS`; empty without cases.
    """

    name: str
    cases: int
    spans: dict[str, tuple[float, float, float]]


def summarise_intensities(cases: Sequence[CaseSummary], task: Task) -> list[IntensitySummary]:
    """Summarise the intensities of each modality, over the cases whose intensities are known."""
    return [
        _intensity_summary(channel.name, channel.title, [case for case in cases if case.intensities.get(channel.name)])
        for channel in task.channels
    ]


def _intensity_summary(modality: str, title: str, cases: Sequence[CaseSummary]) -> IntensitySummary:
    if not cases:
        return IntensitySummary(title, 0, {})
    columns = {figure: [case.intensities[modality][figure] for case in cases] for figure in INTENSITY_STATISTICS}
    return IntensitySummary(
        name=title,
        cases=len(cases),
        spans={figure: (min(values), median(values), max(values)) for figure, values in columns.items()},
    )


@dataclass(frozen=True)
class IssueSummary:
    """A problem or warning code, its description, and the cases that have it."""

    code: str
    meaning: str
    cases: list[CaseSummary]


@dataclass(frozen=True)
class GridSummary:
    """A grid in words, and the number of usable and dropped cases on it."""

    grid: str
    usable: int
    dropped: int


@dataclass(frozen=True)
class CohortOverview:
    """The content of the cohort page. Patients, conventions, volumes and intensities are of the usable cases.

    Attributes:
        cases: all cases, sorted by name.
        usable: the cases without a problem.
        dropped: the others.
        patients: number of patients.
        conventions: number of usable cases by the description of their mask convention; empty if the task has only one.
        problems: problems of the dropped cases, most frequent first.
        warnings: warnings about all cases, most frequent first.
        grids: most common among the usable cases first.
        volumes: one per label, and the whole tumour.
        intensities: one per modality.
        outliers: the usable cases with unusual measures, the most extreme first.
        notes: important facts, each with the anchor of the section that has the details.
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
    outliers: list[Outlier]
    notes: list[tuple[str, str]]


def summarise_cohort(
    cases: Sequence[CaseSummary],
    task: Task,
    patient_warnings: Sequence[str] = (),
    *,
    other_problems: Mapping[str, str] | None = None,
    other_warnings: Mapping[str, str] | None = None,
) -> CohortOverview:
    """Compute the content of the cohort page.

    Args:
        cases: summaries of all cases, sorted by case.
        task: task of the cohort.
        patient_warnings: warnings about patients, see `patients.patient_grouping_warnings`.
        other_problems: descriptions of problem codes that the validation does not have.
        other_warnings: descriptions of such warning codes.

    Returns:
        The overview of the cohort.
    """
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
        problems=_issues_by_code(dropped, lambda case: case.problems, {**PROBLEM_CODES, **(other_problems or {})}),
        warnings=_issues_by_code(cases, lambda case: case.warnings, {**WARNING_CODES, **(other_warnings or {})}),
        grids=grids,
        volumes=summarise_volumes(usable, task),
        intensities=summarise_intensities(usable, task),
        outliers=find_outliers(usable, task),
        notes=[
            *_notes(usable, dropped, grids, {name: count for name, count in conventions.items() if name}, task),
            *((f"{warning[0].upper()}{warning[1:]}.", "cases") for warning in patient_warnings),
        ],
    )


def _conventions(cases: Sequence[CaseSummary], task: Task) -> dict[str, int]:
    """Count the masks of each convention in the task's order; masks that show none come last, with an empty name."""
    if not labels_written_differently(task):
        return {}
    counts = Counter(case.convention for case in cases)
    return {name: counts[name] for name in (*task.conventions, "") if counts[name]}


def _issues_by_code(
    cases: Sequence[CaseSummary],
    issues: Callable[[CaseSummary], Sequence[CaseIssue]],
    descriptions: Mapping[str, str],
) -> list[IssueSummary]:
    """Return the codes that occur, most frequent first."""
    found: dict[str, list[CaseSummary]] = {code: [] for code in descriptions}
    for case in cases:
        for code in dict.fromkeys(issue.code for issue in issues(case)):
            found[code].append(case)
    summaries = [IssueSummary(code, descriptions[code], affected) for code, affected in found.items() if affected]
    return sorted(summaries, key=lambda summary: -len(summary.cases))


def _grids(cases: Sequence[CaseSummary]) -> list[GridSummary]:
    usable = Counter(case.grid for case in cases if case.usable)
    dropped = Counter(case.grid for case in cases if not case.usable and case.grid)
    grids = [GridSummary(grid, usable[grid], dropped[grid]) for grid in {**usable, **dropped}]
    return sorted(grids, key=lambda summary: (-summary.usable, -summary.dropped, summary.grid))


def _notes(
    usable: Sequence[CaseSummary],
    dropped: Sequence[CaseSummary],
    grids: Sequence[GridSummary],
    conventions: dict[str, int],
    task: Task,
) -> list[tuple[str, str]]:
    notes = []
    if not usable:
        notes.append(("No case is usable.", "problems"))
    if dropped:
        notes.append((f"{len(dropped):,} of {format_count(len(usable) + len(dropped), 'case')} dropped.", "problems"))
    several = sum(grid.usable > 0 for grid in grids)
    if several > 1:
        notes.append((f"The usable cases are on {several} different grids.", "grids"))
    if len(conventions) > 1:
        each = [
            f"{describe_convention(task, name)} in {format_count(count, 'case')}" for name, count in conventions.items()
        ]
        notes.append((f"The masks follow {len(conventions)} conventions: {format_list(each)}.", "cases"))
    return notes
