"""What the page says of the cohort, free of any markup."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tumorseg.cohort.codes import PROBLEMS, WARNINGS
from tumorseg.cohort_page.cases import Case, Told
from tumorseg.cohort_page.intensities import IntensityFacts, intensity_facts
from tumorseg.cohort_page.volumes import VolumeFacts, volume_facts
from tumorseg.counts import listed
from tumorseg.pages.task_words import convention_words, differing_labels
from tumorseg.pages.words import counted
from tumorseg.task import Task


@dataclass(frozen=True)
class CodeFacts:
    """A code, what it means, and the cases that have it."""

    code: str
    meaning: str
    cases: list[Case]


@dataclass(frozen=True)
class GridFacts:
    """A grid in words, and how many cases are on it."""

    grid: str
    usable: int
    dropped: int


@dataclass(frozen=True)
class CohortFacts:
    """All that the page says. Patients, conventions, volumes and intensities are those of the usable cases.

    conventions: of the masks, in words, with the number of cases; empty where the task has one only. grids: the most
    common among the usable cases first. notes: what a reader must not overlook, and the anchor of the section with the
    details.
    """

    cases: list[Case]
    usable: list[Case]
    dropped: list[Case]
    patients: int
    conventions: dict[str, int]
    problems: list[CodeFacts]
    warnings: list[CodeFacts]
    grids: list[GridFacts]
    volumes: list[VolumeFacts]
    intensities: list[IntensityFacts]
    notes: list[tuple[str, str]]


def gather(cases: Sequence[Case], task: Task, doubts: Sequence[str] = ()) -> CohortFacts:
    """Compute what the page says of the cases, which come sorted. doubts: about their patients, in sentences."""
    usable = [case for case in cases if case.usable]
    dropped = [case for case in cases if not case.usable]
    grids = _grids(cases)
    conventions = _conventions(usable, task)
    return CohortFacts(
        cases=list(cases),
        usable=usable,
        dropped=dropped,
        patients=len({case.patient for case in usable}),
        conventions={convention_words(task, name): count for name, count in conventions.items()},
        problems=_by_code(dropped, lambda case: case.problems, PROBLEMS),
        warnings=_by_code(cases, lambda case: case.warnings, WARNINGS),
        grids=grids,
        volumes=volume_facts(usable, task),
        intensities=intensity_facts(usable, task),
        notes=[
            *_notes(usable, dropped, grids, {name: count for name, count in conventions.items() if name}, task),
            *((f"{doubt[0].upper()}{doubt[1:]}.", "cases") for doubt in doubts),
        ],
    )


def _conventions(cases: Sequence[Case], task: Task) -> dict[str, int]:
    """How many masks follow each convention, in the task's order; those that show none, by an empty name, last."""
    if not differing_labels(task):
        return {}
    counts = Counter(case.convention for case in cases)
    return {name: counts[name] for name in (*task.conventions, "") if counts[name]}


def _by_code(
    cases: Sequence[Case], findings: Callable[[Case], Sequence[Told]], meanings: Mapping[str, str]
) -> list[CodeFacts]:
    """The codes that occur, the most frequent first."""
    found: dict[str, list[Case]] = {code: [] for code in meanings}
    for case in cases:
        for code in dict.fromkeys(told.code for told in findings(case)):
            found[code].append(case)
    facts = [CodeFacts(code, meanings[code], having) for code, having in found.items() if having]
    return sorted(facts, key=lambda fact: -len(fact.cases))


def _grids(cases: Sequence[Case]) -> list[GridFacts]:
    usable = Counter(case.grid for case in cases if case.usable)
    dropped = Counter(case.grid for case in cases if not case.usable and case.grid)
    grids = [GridFacts(grid, usable[grid], dropped[grid]) for grid in {**usable, **dropped}]
    return sorted(grids, key=lambda facts: (-facts.usable, -facts.dropped, facts.grid))


def _notes(
    usable: Sequence[Case], dropped: Sequence[Case], grids: Sequence[GridFacts], conventions: dict[str, int], task: Task
) -> list[tuple[str, str]]:
    notes = []
    if not usable:
        notes.append(("No case is usable.", "reasons"))
    if dropped:
        notes.append((f"{len(dropped):,} of {counted(len(usable) + len(dropped), 'case')} dropped.", "reasons"))
    several = sum(grid.usable > 0 for grid in grids)
    if several > 1:
        notes.append((f"The usable cases are on {several} different grids.", "grids"))
    if len(conventions) > 1:
        each = [f"{convention_words(task, name)} in {counted(count, 'case')}" for name, count in conventions.items()]
        notes.append((f"The masks follow {len(conventions)} conventions: {listed(each)}.", "cases"))
    return notes
