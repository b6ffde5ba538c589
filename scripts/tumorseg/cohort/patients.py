"""The patient of each case: by its name, by a pattern of the user's, or by a table of the user's.

A patient whose visits are taken for patients stands on both sides of a split; patients taken for one empty a side. So
names are understood only where they say it: where a public cohort's own way of naming is there, or a word for a visit.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from tumorseg.cohort.own_tables import read_own_table, refuse, spelled, with_hints
from tumorseg.errors import UserError

_KEY: Final = "cohort.patient"
_SEPARATOR: Final = r"[ _.-]+"
_COHORTS: Final = (
    # From 2023 on: patient, then visit. In the name of a case it may stand anywhere.
    r".*?(?<![A-Z0-9])(?P<patient>BraTS(?:-[A-Z]+)+-\d+)-\d+(?!\d).*",
    # 2017 to 2019, with the institution, before 2020 and 2021: the number of a case is that of its patient.
    r"(?P<patient>BraTS1\d_[A-Z0-9]+_[A-Z0-9]+_\d+)(?:[ _.-]+[A-Z(].*)?",
    r"(?P<patient>BraTS(?:\d{2,4}_(?:[A-Z]+_)?|(?:-[A-Z]+)+-)\d+)(?:[ _.-]+[A-Z(].*)?",
    r"(?P<patient>UPENN-GBM-\d+)(?:[_-]\d{1,2})?(?:[ _.-]+[A-Z(].*)?",
    r"(?P<patient>(?:UCSF-PDGM-\d+|TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}))(?:[ _.-].*)?",
    # BIDS.
    r"(?P<patient>sub-[A-Z0-9]+)[_-]ses-?[A-Z0-9]+(?:_.*)?",
)
"""Names of public cohorts, with whatever a user has added behind them."""
UNCOUNTED: Final = (
    r"baseline|bl|initial|follow[ _-]?up|fu|"
    r"(?:pre|post|intra)(?:[ _-]?op(?:erative)?|[ _-]?treatment)?|recurrence|relapse"
)
COUNTED: Final = r"week|wk|month|day|visit|time[ _-]?point|tp|session|ses|follow[ _-]?up|fu"
"""Words for a visit, some of them without a number."""
_VISIT: Final = (
    # A patient with a number: `00001_time1`, `Patient-001_week-000-1`, `P7 pre-op`.
    rf"(?P<patient>.*\d.*?){_SEPARATOR}(?:(?:{COUNTED})[ _-]?\d{{1,4}}[a-z]?(?:-\d{{1,2}})?"
    rf"|(?:time|scan|exam|v)\d{{1,2}}|(?:{UNCOUNTED})\d{{0,2}})",
    # A patient with a name: `Smith_visit2`, `Smith_baseline`; not `Glioma-Post_003`, nor `glioma_visit_120`.
    rf"(?P<patient>.*?[^\W\d_].*?){_SEPARATOR}(?:(?:{COUNTED})\d{{1,2}}|{UNCOUNTED})",
)
_ADDED: Final = re.compile(
    rf"(?P<name>.*?)(?:{_SEPARATOR}(?:corrected|fixed|edited|revised|reviewed|copy(?:[ _-]?\(?\d+\)?)?))+",
    re.IGNORECASE,
)
"""What people add to the name of a case that they have worked on."""
YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NOBODY: Final = re.compile(
    r"(?:.*[ _.-])?(?:case|patient|pat|subject|sub|tumou?r|glioma|gbm|hgg|lgg|brain|mri|scan)", re.IGNORECASE
)
"""What stands before the numbers of many patients, and names none."""
_PUBLIC, _VISITS = ([re.compile(form, re.IGNORECASE) for form in forms] for forms in (_COHORTS, _VISIT))


def patient_of(case: str) -> str:
    """The patient of a case by its name: `BraTS-GLI-00005-001`, a visit, is of `BraTS-GLI-00005`.

    A case whose name does not say it is a patient of its own.
    """
    if public := of_public_cohort(case):
        return public
    added = _ADDED.fullmatch(case)
    name = added["name"] if added and added["name"] else case
    if bare := re.fullmatch(r"(.*\S) ?\(\d+\)", name):
        # Not by itself: Windows names `patient (1)`, `patient (2)` what is renamed together.
        by_visit = _by_visit(bare[1])
        if by_visit is not None:
            return by_visit
    return _by_visit(name) or name


def of_public_cohort(case: str) -> str | None:
    """The patient of a case that is named as in a public cohort, else None."""
    return next((match["patient"] for form in _PUBLIC if (match := form.fullmatch(case))), None)


def _by_visit(name: str) -> str | None:
    """What stands before one word for a visit or more; None where there is none."""
    shorter = _before_visit(name)
    return (_by_visit(shorter) or shorter) if shorter else None


def _before_visit(name: str) -> str | None:
    numbered, named = _VISITS
    match = numbered.fullmatch(name)
    # A year is no patient's number: `BraTS2024_visit_001`.
    if match and re.search(r"\d", YEAR.sub("", match["patient"])):
        return match["patient"]
    match = named.fullmatch(name)
    return match["patient"] if match and not _NOBODY.fullmatch(match["patient"]) else None


def patients_by_name(cases: Iterable[str]) -> dict[str, str]:
    """The patient of each case by its name; letter case makes no other patient."""
    return _one_spelling({case: patient_of(case) for case in sorted(cases)})


def _one_spelling(patients: Mapping[str, str]) -> dict[str, str]:
    """The same patients, each in the letter case that it has first."""
    first: dict[str, str] = {}
    for patient in patients.values():
        first.setdefault(patient.casefold(), patient)
    return {case: first[patient.casefold()] for case, patient in patients.items()}


def patients_of(
    cases: Iterable[str],
    *,
    pattern: str | None = None,
    table: Path | None = None,
    wanted: Iterable[str] | None = None,
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The patient of each case: by a pattern or by a table, where one is given, else by its name.

    pattern: see `compiled`. It has to fit a name from its beginning; the patient is the group `patient`, or else the
    first group that took part. table: with the columns `case` and `patient`, see `read_own_table`. wanted: the cases
    that these have to know, and that a table may name no others than; None: whatever they do not know goes by its name.
    given: patients that the places of cases or a sample sheet say, which count where there is no pattern and no table.
    Raises UserError where a pattern does not fit a wanted case, and where a table is none, names a case twice or one
    that there is not, or lacks a wanted one.
    """
    names = list(dict.fromkeys(cases))
    by_name = patients_by_name(names) | dict(given or {})
    if pattern is not None:
        found = _by_pattern(names, pattern)
        missed = [case for case in wanted or () if not found[case]]
        refuse(_KEY, f"the pattern {pattern} does not fit", missed, "extend it, for instance by |(.+) at its end")
    elif table is not None:
        found = _by_table(table, names, strict=wanted is not None)
        missed = [case for case in wanted or () if not found[case]]
        refuse(f"{_KEY}: {table}", "no row for a usable case", missed, "add a row each")
    else:
        return by_name
    return {case: found[case] or by_name[case] for case in names}


def _by_pattern(cases: Iterable[str], pattern: str) -> dict[str, str]:
    """The patient of each case, empty where the pattern does not fit."""
    form, found = compiled(pattern), {}
    for case in sorted(cases):
        match = form.fullmatch(case) or form.match(case)
        groups = (match.groupdict().get("patient"), *match.groups()) if match else ()
        found[case] = next(filter(None, groups), "")
    return _one_spelling(found)


def _by_table(path: Path, cases: Collection[str], *, strict: bool) -> dict[str, str]:
    """The patient of each case, empty where the table has no row of it. strict: it names no other cases."""
    columns, rows = read_own_table(path, _KEY)
    if lacking := [name for name in ("case", "patient") if name not in columns]:
        raise UserError(
            f"{_KEY}: {path}: the header, {', '.join(columns) or 'empty'}, needs a column {lacking[0]}; name "
            "the columns case and patient, separated by tabs or commas"
        )
    known = set(cases)
    named = [(spelled(row["case"], known), row["patient"].strip()) for row in rows]
    place = f"{_KEY}: {path}"
    twice = [case for case, count in Counter(case for case, _ in named).items() if count > 1]
    refuse(place, "more than one row for a case", twice, "leave one row each")
    refuse(place, "no patient for a case", [case for case, patient in named if not patient], "fill it in")
    unknown = [case for case, _ in named if case not in known]
    if strict:
        refuse(place, "no such case in the cohort", with_hints(unknown, known), "correct the name or remove the row")
    return {**dict.fromkeys(cases, ""), **{case: patient for case, patient in named if case in known}}


def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern of `cohort.patient`. Raises UserError where it is no regular expression, or one without a group."""
    try:
        form = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"{_KEY}: {pattern} is no file and no regular expression ({error}); give one whose group is the patient, "
            r"such as (P\d+)_visit\d+, or the path of a table with the columns case and patient"
        ) from None
    if not form.groups:
        raise UserError(
            f"{_KEY}: there is no file {pattern}, and as a regular expression it has no group; put the part that names "
            r"the patient into brackets, such as (P\d+)_visit\d+, or correct the path"
        )
    return form
