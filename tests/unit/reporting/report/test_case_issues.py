import pandas as pd

from tests.unit.reporting.report.test_content import manifest_row, report_content
from tumorseg.reporting.report.case_issues import cases_with_warnings
from tumorseg.reporting.shared.shared_warnings import SharedWarning

MANIFEST = pd.DataFrame(
    [
        manifest_row("a", warnings="non_unit_spacing,saturated"),
        manifest_row("b", warnings="non_unit_spacing"),
        manifest_row("c", problems="truncated", detail="short"),
    ]
)


def test_warnings_that_all_cases_share_are_left_out():
    shared = [SharedWarning("non_unit_spacing", "voxels are 2.5 mm.")]
    assert [(case.case, case.codes) for case in cases_with_warnings(MANIFEST, shared)] == [("a", ("saturated",))]


def test_a_warning_of_some_cases_is_listed_for_each():
    rows = tuple(manifest_row(case, warnings="saturated") for case in "de")
    content = report_content(rows=rows)
    assert content.shared_warnings == []
    assert [case.case for case in content.warned] == ["d", "e"]
