"""Names that look like visits of one patient and are not treated so, and the other way round: worth a warning."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Final

from tumorseg.cohort.patients import COUNTED, UNCOUNTED, YEAR, of_public_cohort
from tumorseg.errors import Message

_MOST: Final = 12
"""Visits that a patient is believed to have."""
_DATED: Final = re.compile(r"(?P<stem>.*[^\W_].*?)[ _.-]+(?:19|20)\d\d[-._]?[01]\d[-._]?[0-3]\d")
_LAST: Final = re.compile(
    r"(?P<stem>.*[^\W_].*?)(?:[ _.-]+(?:[A-Z]{0,12}\d{1,3}|[A-Z]{1,12})|(?<=\d)[A-Z]{1,12}\d{0,2})",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(
    r"(?P<stem>.*\d.*?)[ _.-]+\d{1,3}(?:[dwmy]|st|nd|rd|th|days?|weeks?|mo|months?|years?)", re.IGNORECASE
)
"""The time since the first visit, or its number, at the end: `P01_3m`, `P01_2nd`."""
_FIRST: Final = re.compile(rf"(?:{COUNTED}|{UNCOUNTED})[ _.-]?\d{{0,3}}[ _.-]+(?P<stem>.*\d.*)", re.IGNORECASE)

_PATTERNS: Final = (r"(.+)[-_]\d+", r"(.+)[-_].+", r"(.+?)[-_].+", r"(.+\d)[A-Za-z]+\d*", r"[^-_]+[-_](.+)")
"""Patterns of `cohort.patient` that may be what a user needs, simple ones first."""


def doubts(patients: Mapping[str, str]) -> list[str]:
    """What may be wrong with patients that were found by name, in sentences. patients: of each usable case."""
    return [*_parted(patients), *_crowded(patients)]


def _parted(patients: Mapping[str, str]) -> list[Message]:
    """Cases that stand alone and share all but a short end, or a visit before it, of their names with a few others."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for case in sorted(case for case, patient in patients.items() if case == patient and not of_public_cohort(case)):
        ends = (form.fullmatch(case) for form in (_FIRST, _DATED, _AFTER, _LAST))
        if match := next(filter(None, ends), None):
            by_stem[match["stem"].casefold()].append(case)
    groups = {stem: cases for stem, cases in by_stem.items() if 2 <= len(cases) <= _MOST}
    numbered = [cases for stem, cases in groups.items() if re.search(r"\d", YEAR.sub("", stem))]
    # Words before a number may be kinds of cases: many of each kind, and few kinds.
    named = [cases for cases in groups.values() if cases not in numbered and all(case[-1].isdigit() for case in cases)]
    found = numbered + (named if len(named) >= 2 and len(named) >= mean(map(len, named)) else [])
    if not found or (len(found) == 1 and len(found[0]) == len(patients)):
        return []
    count = f" (and those of {len(found) - 1} more such groups)" if len(found) > 1 else ""
    return [
        f"the names {' and '.join(found[0][:2])}{count} look like visits of one patient, but each counts as a patient "
        f"of its own, so that one may be trained on and another held out; set cohort.patient to {_remedy(found)}, or "
        "to '(.+)' where each case is a patient"
    ]


def _remedy(groups: Sequence[Sequence[str]]) -> Message:
    """What finds the patient of each group of cases: a pattern that was tried on them, if there is one."""
    for pattern in _PATTERNS:
        found = [{match[1] if (match := re.fullmatch(pattern, case)) else case for case in cases} for cases in groups]
        if all(len(patients) == 1 for patients in found) and len(set.union(*found)) == len(groups):
            return f"a pattern such as '{pattern}'"
    return "a pattern or a table"


def _crowded(patients: Mapping[str, str]) -> list[Message]:
    """A patient of more cases than one is believed to have, or of most of the cases that there are."""
    cases_of: dict[str, list[str]] = defaultdict(list)
    for case, patient in sorted(patients.items()):
        cases_of[patient].append(case)
    most = max(cases_of, key=lambda patient: len(cases_of[patient]), default="")
    count = len(cases_of[most])
    if count <= 3 or (count <= _MOST and count * 2 <= len(patients)):
        return []
    return [
        f"{count} of {len(patients)} cases, for example {' and '.join(cases_of[most][:2])}, count as visits of one "
        f"patient, {most}, by their names; if they are several patients, set cohort.patient to a pattern or a table, "
        "or to '(.+)' where each case is a patient"
    ]
