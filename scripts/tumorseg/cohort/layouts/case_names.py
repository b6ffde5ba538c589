"""Name the cases of several folders uniquely, a visit after its patient."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.layouts.listing import abbreviate, sample_sheet_hint
from tumorseg.cohort.patients import patient_from_name, public_cohort_patient
from tumorseg.errors import UserError
from tumorseg.task import Task

_MAX_VISITS: Final = 24
_DATE_NAME: Final = re.compile(r"(?:19|20)\d\d[-._]?[01]\d[-._]?[0-3]\d.*")
_LONG_NUMBER: Final = re.compile(r"\d{3,}")


def unique_case_names(groups: Mapping[str, Sequence[CaseFiles]], root: Path, task: Task, key: str) -> list[CaseFiles]:
    """Return the cases of all groups with unique names.

    If the folders are patients and their cases are visits, each case is named after its folder and its visit, and the
    folder is its patient.

    Args:
        groups: the cases of each folder, by its name.
        root: the folder that holds the groups, for messages.
        task: task of the cohort.
        key: configuration key that names the folder, for messages.

    Returns:
        The cases, in the order of the groups.

    Raises:
        UserError: two groups that are not patients hold a case of the same name.
    """
    if _are_visits(groups):
        return [
            replace(case, case=f"{group}_{case.case}", patient=group)
            for group, cases in groups.items()
            for case in cases
        ]
    paths_by_name: dict[str, list[str]] = defaultdict(list)
    for group, cases in groups.items():
        for case in cases:
            paths_by_name[case.case.casefold()].append(f"{group}/{case.case}")
    if duplicates := [paths for paths in paths_by_name.values() if len(paths) > 1]:
        more = f", as do {len(duplicates) - 1} more" if len(duplicates) > 1 else ""
        raise UserError(
            f"{key}: {' and '.join(duplicates[0])} in {root} have the same name{more}; rename or remove one of them"
            f"{sample_sheet_hint(root, task, key)}"
        )
    return [case for cases in groups.values() for case in cases]


def is_visit_name(name: str) -> bool:
    """Return whether a folder is named like a visit of a patient: `Timepoint_1`, `week-000-1`, `baseline`, a date."""
    return patient_from_name(f"P1_{name}") == "P1" or _DATE_NAME.fullmatch(name) is not None


def _are_visits(groups: Mapping[str, Sequence[CaseFiles]]) -> bool:
    names = [case.case for cases in groups.values() for case in cases if case.folder is not None]
    if not names or len(names) < sum(map(len, groups.values())):
        return False
    if all(map(is_visit_name, names)):
        return True
    if len({name.casefold() for name in names}) == len(names):
        return False
    patients = [group for group, cases in groups.items() if cases]
    return (
        all(re.search(r"\d", group) for group in patients)
        and max(map(len, groups.values())) <= _MAX_VISITS
        and not any(public_cohort_patient(name) or (_LONG_NUMBER.search(name) and not name.isdigit()) for name in names)
    )


def raise_if_duplicate_names(cases: Sequence[CaseFiles], root: Path, key: str) -> None:
    """Check that the cases have different names.

    Args:
        cases: the cases.
        root: their data folder, for the message.
        key: configuration key that names `root`, for the message.

    Raises:
        UserError: two cases have the same name.
    """
    seen: dict[str, CaseFiles] = {}
    for case in cases:
        other = seen.setdefault(case.case, case)
        if other is not case:
            where = abbreviate([*other.paths()[:1], *case.paths()[:1]])
            raise UserError(f"{key}: two cases in {root} are named {case.case} ({where}); rename one of them")
