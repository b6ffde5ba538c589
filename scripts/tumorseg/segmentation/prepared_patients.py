"""Add what the preparation found to the results of new patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from tumorseg.cohort.validation_result import Issue, describe_issue
from tumorseg.preparation.patient_records import PatientRecord
from tumorseg.preparation.step_record import first_failure
from tumorseg.segmentation.results import PatientResult

CONVERT: Final = "convert"
"""The step whose record has the patient and the date."""


def add_preparation(
    results: Sequence[PatientResult], records: Mapping[str, Sequence[PatientRecord]]
) -> list[PatientResult]:
    """Return the results with the warnings of the preparation, and with the patients whose preparation failed.

    Args:
        results: results of the patients who reached the segmentation.
        records: records of the preparation, by case.

    Returns:
        The results, sorted by case. A patient whose preparation failed is not segmented, even if there is a result.
    """
    by_case = {result.case: result for result in results}
    for case, entries in records.items():
        failed = first_failure([entry.record for entry in entries])
        result = by_case.get(case)
        if failed is not None:
            by_case[case] = _failed(case, failed.problems)
        elif result is not None:
            found = [warning for entry in entries for warning in entry.record.warnings]
            by_case[case] = replace(result, warnings=tuple(dict.fromkeys([*found, *result.warnings])))
    return sorted(by_case.values(), key=lambda result: result.case)


@dataclass(frozen=True)
class Visit:
    """What folders, a sample sheet or the preparation say about the time point of a case.

    Attributes:
        patient: the patient; None if it is unknown.
        date: date of the images, YYYY-MM-DD; None if it is unknown.
    """

    patient: str | None
    date: str | None


def visits(
    records: Mapping[str, Sequence[PatientRecord]], given: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> dict[str, Visit]:
    """Return patient and date of each case for which they are known.

    Args:
        records: records of the preparation, by case.
        given: `patient` and `date` of cases, as folders or a sample sheet give them, see `PatientPlan.visits`. They
            take precedence over records, which have the date of DICOM files.
    """
    facts = {
        case: entry.record.facts
        for case, entries in records.items()
        for entry in entries
        if entry.record.step == CONVERT
    }
    return {
        case: Visit(
            given.get(case, {}).get("patient") or facts.get(case, {}).get("patient"),
            given.get(case, {}).get("date") or facts.get(case, {}).get("study_date"),
        )
        for case in [*facts, *(case for case in given if case not in facts)]
    }


def _failed(case: str, problems: Sequence[Issue]) -> PatientResult:
    codes = ",".join(dict.fromkeys(problem.code for problem in problems))
    return PatientResult(case, codes, " ".join(" | ".join(describe_issue(issue, case) for issue in problems).split()))
