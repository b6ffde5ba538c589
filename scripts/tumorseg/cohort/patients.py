"""Find the patient of each case, by its name, a user's pattern or a user's table, and warn about doubtful names.

If visits of one patient count as several patients, they end up on both sides of a split. If several patients count as
one, a side may be empty. A name therefore only decides if it follows the scheme of a public cohort or contains a word
for a visit.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Final

from tumorseg.cohort.user_tables import match_spelling, raise_if_any, read_user_table, with_suggestions
from tumorseg.errors import Message, UserError

_KEY: Final = "cohort.patient"
_SEPARATOR: Final = r"[ _.-]+"
_PUBLIC_COHORT_NAMES: Final = (
    # From 2023 on: patient, then visit, anywhere in the name of a case.
    r".*?(?<![A-Z0-9])(?P<patient>BraTS(?:-[A-Z]+)+-\d+)-\d+(?!\d).*",
    # 2017 to 2019, with the institution, then 2020 and 2021: the number of a case is also its patient's.
    r"(?P<patient>BraTS1\d_[A-Z0-9]+_[A-Z0-9]+_\d+)(?:[ _.-]+[A-Z(].*)?",
    r"(?P<patient>BraTS(?:\d{2,4}_(?:[A-Z]+_)?|(?:-[A-Z]+)+-)\d+)(?:[ _.-]+[A-Z(].*)?",
    r"(?P<patient>UPENN-GBM-\d+)(?:[_-]\d{1,2})?(?:[ _.-]+[A-Z(].*)?",
    r"(?P<patient>(?:UCSF-PDGM-\d+|TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}))(?:[ _.-].*)?",
    # BIDS.
    r"(?P<patient>sub-[A-Z0-9]+)[_-]ses-?[A-Z0-9]+(?:_.*)?",
)
"""Names of cases in public cohorts, with any suffix that a user has added."""
UNNUMBERED_VISIT: Final = (
    r"baseline|bl|initial|follow[ _-]?up|fu|"
    r"(?:pre|post|intra)(?:[ _-]?op(?:erative)?|[ _-]?treatment)?|recurrence|relapse"
)
NUMBERED_VISIT: Final = r"week|wk|month|day|visit|time[ _-]?point|tp|session|ses|follow[ _-]?up|fu"
"""Words for a visit that need a number; those of `UNNUMBERED_VISIT` do not."""
_VISIT_NAMES: Final = (
    # A patient with a number: `00001_time1`, `Patient-001_week-000-1`, `P7 pre-op`.
    rf"(?P<patient>.*\d.*?){_SEPARATOR}(?:(?:{NUMBERED_VISIT})[ _-]?\d{{1,4}}[a-z]?(?:-\d{{1,2}})?"
    rf"|(?:time|scan|exam|v)\d{{1,2}}|(?:{UNNUMBERED_VISIT})\d{{0,2}})",
    # A patient with a name: `Smith_visit2`, `Smith_baseline`; not `Glioma-Post_003`, nor `glioma_visit_120`.
    rf"(?P<patient>.*?[^\W\d_].*?){_SEPARATOR}(?:(?:{NUMBERED_VISIT})\d{{1,2}}|{UNNUMBERED_VISIT})",
)
_EDIT_SUFFIX: Final = re.compile(
    rf"(?P<name>.*?)(?:{_SEPARATOR}(?:corrected|fixed|edited|revised|reviewed|copy(?:[ _-]?\(?\d+\)?)?))+",
    re.IGNORECASE,
)
"""Suffixes that people add to the name of a case that they have edited."""
YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_GENERIC_WORD: Final = re.compile(
    r"(?:.*[ _.-])?(?:case|patient|pat|subject|sub|tumou?r|glioma|gbm|hgg|lgg|brain|mri|scan)", re.IGNORECASE
)
"""Words before a number that do not name a patient."""
_PUBLIC_PATTERNS, _VISIT_PATTERNS = (
    [re.compile(form, re.IGNORECASE) for form in forms] for forms in (_PUBLIC_COHORT_NAMES, _VISIT_NAMES)
)


def patient_from_name(case: str) -> str:
    """Return the patient of a case by its name: `BraTS-GLI-00005` for the visit `BraTS-GLI-00005-001`.

    Args:
        case: name of the case.

    Returns:
        The patient. If the name follows no known scheme, the name itself without suffixes of edited copies.
    """
    if public := public_cohort_patient(case):
        return public
    added = _EDIT_SUFFIX.fullmatch(case)
    name = added["name"] if added and added["name"] else case
    if bare := re.fullmatch(r"(.*\S) ?\(\d+\)", name):
        # A number in brackets alone does not mark a copy: Windows renames files to `patient (1)`, `patient (2)`.
        by_visit = _strip_visits(bare[1])
        if by_visit is not None:
            return by_visit
    return _strip_visits(name) or name


def public_cohort_patient(case: str) -> str | None:
    """Return the patient of a case named as in a public cohort, else None."""
    return next((match["patient"] for form in _PUBLIC_PATTERNS if (match := form.fullmatch(case))), None)


def _strip_visits(name: str) -> str | None:
    """Return a name without its visits at the end; None if it has none."""
    shorter = _strip_visit(name)
    return (_strip_visits(shorter) or shorter) if shorter else None


def _strip_visit(name: str) -> str | None:
    numbered, named = _VISIT_PATTERNS
    match = numbered.fullmatch(name)
    # A year is not the number of a patient: `BraTS2024_visit_001`.
    if match and re.search(r"\d", YEAR.sub("", match["patient"])):
        return match["patient"]
    match = named.fullmatch(name)
    return match["patient"] if match and not _GENERIC_WORD.fullmatch(match["patient"]) else None


def patients_from_names(cases: Iterable[str]) -> dict[str, str]:
    """Return the patient of each case by its name; patients are compared case-insensitively."""
    return _unify_letter_case({case: patient_from_name(case) for case in sorted(cases)})


def _unify_letter_case(patients: Mapping[str, str]) -> dict[str, str]:
    """Return the patients, each in its first spelling."""
    first: dict[str, str] = {}
    for patient in patients.values():
        first.setdefault(patient.casefold(), patient)
    return {case: first[patient.casefold()] for case, patient in patients.items()}


def assign_patients(
    cases: Iterable[str],
    *,
    pattern: str | None = None,
    table: Path | None = None,
    required_cases: Iterable[str] | None = None,
    given_patients: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the patient of each case, by a pattern or table if there is one, else by its name.

    Args:
        cases: names of the cases.
        pattern: regular expression that fits a name from its beginning (see `compile_patient_pattern`). The patient is
            the group `patient`, or else the first group that took part in the match.
        table: table with the columns `case` and `patient` (see `read_user_table`).
        required_cases: cases that the pattern or table must cover. A table must not name unknown cases then. None: a
            case that is not covered gets its patient by name.
        given_patients: patients known from folders or a sample sheet. They have no effect with a pattern or table.

    Returns:
        The patient of each case.

    Raises:
        UserError: the pattern is invalid or does not fit a required case; or the table is invalid, lists a case twice,
            lists an unknown case, or lacks a required one.
    """
    names = list(dict.fromkeys(cases))
    by_name = patients_from_names(names) | dict(given_patients or {})
    if pattern is not None:
        found = _patients_from_pattern(names, pattern)
        missed = [case for case in required_cases or () if not found[case]]
        raise_if_any(_KEY, f"the pattern {pattern} does not fit", missed, "extend it, for instance by |(.+) at its end")
    elif table is not None:
        found = _patients_from_table(table, names, strict=required_cases is not None)
        missed = [case for case in required_cases or () if not found[case]]
        raise_if_any(f"{_KEY}: {table}", "no row for a usable case", missed, "add a row each")
    else:
        return by_name
    return {case: found[case] or by_name[case] for case in names}


def _patients_from_pattern(cases: Iterable[str], pattern: str) -> dict[str, str]:
    """Return the patient of each case; empty if the pattern does not fit."""
    form, found = compile_patient_pattern(pattern), {}
    for case in sorted(cases):
        match = form.fullmatch(case) or form.match(case)
        groups = (match.groupdict().get("patient"), *match.groups()) if match else ()
        found[case] = next(filter(None, groups), "")
    return _unify_letter_case(found)


def _patients_from_table(path: Path, cases: Collection[str], *, strict: bool) -> dict[str, str]:
    """Return the patient of each case, empty if the table has no row for it; if strict, refuse unknown cases."""
    columns, rows = read_user_table(path, _KEY)
    if missing := [name for name in ("case", "patient") if name not in columns]:
        raise UserError(
            f"{_KEY}: {path}: the header, {', '.join(columns) or 'empty'}, needs a column {missing[0]}; name "
            "the columns case and patient, separated by tabs or commas"
        )
    known = set(cases)
    named = [(match_spelling(row["case"], known), row["patient"].strip()) for row in rows]
    source = f"{_KEY}: {path}"
    repeated = [case for case, count in Counter(case for case, _ in named).items() if count > 1]
    raise_if_any(source, "more than one row for a case", repeated, "keep one row each")
    raise_if_any(source, "no patient for a case", [case for case, patient in named if not patient], "fill it in")
    unknown = [case for case, _ in named if case not in known]
    if strict:
        raise_if_any(
            source, "no such case in the cohort", with_suggestions(unknown, known), "correct the name or remove the row"
        )
    return {**dict.fromkeys(cases, ""), **{case: patient for case, patient in named if case in known}}


def compile_patient_pattern(pattern: str) -> re.Pattern[str]:
    """Return the compiled pattern of `cohort.patient`.

    Raises:
        UserError: it is not a regular expression, or has no group.
    """
    try:
        form = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"{_KEY}: {pattern} is neither a file nor a regular expression ({error}); give a regular expression with a "
            r"group for the patient, such as (P\d+)_visit\d+, or the path of a table with the columns case and patient"
        ) from None
    if not form.groups:
        raise UserError(
            f"{_KEY}: there is no file {pattern}, and as a regular expression it has no group; put the patient's part "
            r"in brackets, such as (P\d+)_visit\d+, or correct the path"
        )
    return form


_MAX_VISITS: Final = 12
"""Most visits that a patient plausibly has."""
_DATE_SUFFIX: Final = re.compile(r"(?P<stem>.*[^\W_].*?)[ _.-]+(?:19|20)\d\d[-._]?[01]\d[-._]?[0-3]\d")
_SHORT_SUFFIX: Final = re.compile(
    r"(?P<stem>.*[^\W_].*?)(?:[ _.-]+(?:[A-Z]{0,12}\d{1,3}|[A-Z]{1,12})|(?<=\d)[A-Z]{1,12}\d{0,2})",
    re.IGNORECASE,
)
_INTERVAL_SUFFIX: Final = re.compile(
    r"(?P<stem>.*\d.*?)[ _.-]+\d{1,3}(?:[dwmy]|st|nd|rd|th|days?|weeks?|mo|months?|years?)", re.IGNORECASE
)
"""Time since the first visit, or number of the visit, at the end of a name: `P01_3m`, `P01_2nd`."""
_VISIT_PREFIX: Final = re.compile(
    rf"(?:{NUMBERED_VISIT}|{UNNUMBERED_VISIT})[ _.-]?\d{{0,3}}[ _.-]+(?P<stem>.*\d.*)", re.IGNORECASE
)

_SUGGESTED_PATTERNS: Final = (r"(.+)[-_]\d+", r"(.+)[-_].+", r"(.+?)[-_].+", r"(.+\d)[A-Za-z]+\d*", r"[^-_]+[-_](.+)")
"""Patterns suggested for `cohort.patient`, simple ones first."""


def patient_grouping_warnings(patients: Mapping[str, str]) -> list[str]:
    """Return warnings about patients that were found by name.

    Args:
        patients: patient of each usable case.

    Returns:
        One sentence each, without a full stop.
    """
    return [*_separate_visit_warnings(patients), *_many_visit_warnings(patients)]


def _separate_visit_warnings(patients: Mapping[str, str]) -> list[Message]:
    """Warn about cases that count as separate patients, although their names seem to differ only in the visit."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for case in sorted(
        case for case, patient in patients.items() if case == patient and not public_cohort_patient(case)
    ):
        ends = (form.fullmatch(case) for form in (_VISIT_PREFIX, _DATE_SUFFIX, _INTERVAL_SUFFIX, _SHORT_SUFFIX))
        if match := next(filter(None, ends), None):
            by_stem[match["stem"].casefold()].append(case)
    groups = {stem: cases for stem, cases in by_stem.items() if 2 <= len(cases) <= _MAX_VISITS}
    numbered = [cases for stem, cases in groups.items() if re.search(r"\d", YEAR.sub("", stem))]
    # Words before a number may be kinds of cases: few kinds, and many cases of each.
    named = [cases for cases in groups.values() if cases not in numbered and all(case[-1].isdigit() for case in cases)]
    found = numbered + (named if len(named) >= 2 and len(named) >= mean(map(len, named)) else [])
    if not found or (len(found) == 1 and len(found[0]) == len(patients)):
        return []
    count = f" (and those of {len(found) - 1} more groups)" if len(found) > 1 else ""
    return [
        f"the names {' and '.join(found[0][:2])}{count} look like visits of one patient, but count as separate "
        "patients, which may be split between training and validation; set cohort.patient to "
        f"{_suggest_pattern(found)}, or to '(.+)' if each case is a patient"
    ]


def _suggest_pattern(groups: Sequence[Sequence[str]]) -> Message:
    """Return the advice for `cohort.patient`: a pattern that works on these groups of cases, if there is one."""
    for pattern in _SUGGESTED_PATTERNS:
        found = [{match[1] if (match := re.fullmatch(pattern, case)) else case for case in cases} for cases in groups]
        if all(len(patients) == 1 for patients in found) and len(set.union(*found)) == len(groups):
            return f"a pattern such as '{pattern}'"
    return "a pattern or a table"


def _many_visit_warnings(patients: Mapping[str, str]) -> list[Message]:
    """Warn about a patient with implausibly many visits, or with most of the cases."""
    cases_of: dict[str, list[str]] = defaultdict(list)
    for case, patient in sorted(patients.items()):
        cases_of[patient].append(case)
    most = max(cases_of, key=lambda patient: len(cases_of[patient]), default="")
    count = len(cases_of[most])
    if count <= 3 or (count <= _MAX_VISITS and count * 2 <= len(patients)):
        return []
    return [
        f"{count} of {len(patients)} cases, for example {' and '.join(cases_of[most][:2])}, count as visits of one "
        f"patient, {most}, by their names; if they are several patients, set cohort.patient to a pattern or a table, "
        "or to '(.+)' if each case is a patient"
    ]
