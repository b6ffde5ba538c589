from dataclasses import replace

import pandas as pd

from tests.unit.cohort.test_overview import validated
from tests.unit.reporting.report.test_content import manifest_row, report_content
from tumorseg.cohort.validation_result import Issue
from tumorseg.reporting.report.case_issues import SharedWarning, cases_with_warnings, shared_warnings

MANIFEST = pd.DataFrame(
    [
        manifest_row("a", warnings="non_unit_spacing,saturated"),
        manifest_row("b", warnings="non_unit_spacing"),
        manifest_row("c", problems="truncated", detail="short"),
    ]
)


def results_of(*messages):
    return [
        replace(validated(case), warnings=(Issue("non_unit_spacing", f"{case}/{case}-t1n.nii.gz", message),))
        for case, message in zip("ab", messages, strict=True)
    ]


def test_a_warning_of_all_usable_cases_stands_once():
    shared = shared_warnings(MANIFEST, results_of("voxels are 2.5 mm", "voxels are 2.5 mm"))
    assert shared == [SharedWarning("non_unit_spacing", "voxels are 2.5 mm.")]
    assert [(case.case, case.codes) for case in cases_with_warnings(MANIFEST, shared)] == [("a", ("saturated",))]


def test_different_messages_are_replaced_by_the_meaning_of_the_code():
    (shared,) = shared_warnings(MANIFEST, results_of("voxels are 2.5 mm", "voxels are 3 mm"))
    assert shared.text == "Voxels are not cubes of 1 mm."


def test_a_warning_of_some_cases_is_listed_for_each():
    rows = tuple(manifest_row(case, warnings="saturated") for case in "de")
    content = report_content(rows=rows)
    assert content.shared_warnings == []
    assert [case.case for case in content.warned] == ["d", "e"]
