"""What the page says of the cohort, free of any markup."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tumorseg.cohort_page.cases import Case, Told
from tumorseg.cohort_page.intensities import IntensityFacts, intensity_facts
from tumorseg.cohort_page.meanings import PROBLEMS, WARNINGS
from tumorseg.cohort_page.volumes import VolumeFacts, volume_facts
from tumorseg.labels import ENHANCING
from tumorseg.pages.words import counted

_CONVENTIONS: Final[dict[str, str]] = {
    **{str(name): f"written as {label} (BraTS {name.removeprefix('brats')})" for name, label in ENHANCING.items()},
    "": "absent",
}


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

    conventions: how enhancing tumour is written, in words, with the number of cases. grids: the most common among the
    usable cases first. notes: what a reader must not overlook, and the anchor of the section with the details.
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


def gather(cases: Sequence[Case], doubts: Sequence[str] = ()) -> CohortFacts:
    """Compute what the page says of the cases, which come sorted. doubts: about their patients, in sentences."""
    usable = [case for case in cases if case.usable]
    dropped = [case for case in cases if not case.usable]
    grids = _grids(cases)
    conventions = Counter(case.convention for case in usable)
    return CohortFacts(
        cases=list(cases),
        usable=usable,
        dropped=dropped,
        patients=len({case.patient for case in usable}),
        conventions={words: conventions[name] for name, words in _CONVENTIONS.items() if conventions[name]},
        problems=_by_code(dropped, lambda case: case.problems, PROBLEMS),
        warnings=_by_code(cases, lambda case: case.warnings, WARNINGS),
        grids=grids,
        volumes=volume_facts(usable),
        intensities=intensity_facts(usable),
        notes=[
            *_notes(usable, dropped, grids, conventions),
            *((f"{doubt[0].upper()}{doubt[1:]}.", "cases") for doubt in doubts),
        ],
    )


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
    usable: Sequence[Case], dropped: Sequence[Case], grids: Sequence[GridFacts], conventions: Mapping[str, int]
) -> list[tuple[str, str]]:
    notes = []
    if not usable:
        notes.append(("No case is usable.", "reasons"))
    if dropped:
        notes.append((f"{len(dropped):,} of {counted(len(usable) + len(dropped), 'case')} dropped.", "reasons"))
    several = sum(grid.usable > 0 for grid in grids)
    if several > 1:
        notes.append((f"The usable cases are on {several} different grids.", "grids"))
    if len([name for name in conventions if name]) > 1:
        both = " and ".join(f"{label} in {counted(conventions[name], 'case')}" for name, label in ENHANCING.items())
        notes.append((f"The masks follow two conventions: enhancing tumour is {both}.", "cases"))
    return notes
