from dataclasses import replace
from typing import get_args

import pytest

from tumorseg.cohort.damage import ProblemCode, WarningCode
from tumorseg.cohort.manifest import manifest
from tumorseg.cohort.verdict import Finding, Verdict
from tumorseg.cohort_page.cases import read_cases
from tumorseg.cohort_page.facts import gather
from tumorseg.cohort_page.intensities import robust_scores
from tumorseg.cohort_page.meanings import PROBLEMS, WARNINGS
from tumorseg.errors import UserError
from tumorseg.labels import MODALITIES


def verdict(case="a", *, problems=(), warnings=(), median=500.0, **facts):
    """A verdict on a case of 240x240x155 voxels of 1 mm, whose images differ from those of other names."""
    intensities = {"min": 1.0, "p01": 10.0, "median": median, "p99": 900.0, "max": 1000.0}
    known = {
        "shape": [240, 240, 155],
        "spacing": [1.0, 1.0, 1.0],
        "convention": "brats2021",
        "label_1": 1000,
        "label_2": 20000,
        "label_4": 3000,
        "tumour_crc32": 0,
        "intensities": dict.fromkeys(MODALITIES, intensities),
        "files": {role: {"path": f"{case}/{role}", "sample_digest": case} for role in (*MODALITIES, "seg")},
    }
    return Verdict(case, not problems, tuple(problems), tuple(warnings), known | facts)


def unread(case, code="unreadable", message="it cannot be read"):
    return replace(verdict(case, problems=[Finding(code, f"{case}/t1.nii", message)]), facts={"files": {}})


def facts(*verdicts):
    return gather(read_cases(manifest(verdicts), verdicts))


def test_every_code_has_its_meaning():
    assert tuple(PROBLEMS) == get_args(ProblemCode)
    assert tuple(WARNINGS) == get_args(WarningCode)


def test_codes_are_counted_the_most_frequent_first_once_a_case():
    twice = [Finding("truncated", "c/t1.nii", "stops"), Finding("truncated", "c/t2.nii", "stops")]
    told = facts(verdict("a"), unread("b"), verdict("c", problems=twice), unread("d"))
    assert [(fact.code, [case.case for case in fact.cases]) for fact in told.problems] == [
        ("unreadable", ["b", "d"]),
        ("truncated", ["c"]),
    ]
    assert (len(told.usable), len(told.dropped), told.patients) == (1, 3, 1)
    assert told.notes == [("3 of 4 cases dropped.", "reasons")]


def test_a_duplicate_case_is_dropped_though_its_verdict_does_not_know():
    twin = replace(verdict("b"), facts=verdict("a").facts)
    (case,) = facts(verdict("a"), twin).dropped
    assert case.problems[0].code == "duplicate_case"
    assert case.problems[0].file == ""
    assert "has the images of a" in case.problems[0].message


def test_a_manifest_of_other_cases_is_told():
    with pytest.raises(UserError, match="different cases"):
        read_cases(manifest([verdict("a")]), [verdict("b")])


def test_volumes_are_millilitres_over_the_cases_that_have_the_label():
    told = facts(verdict("a"), verdict("b", spacing=[2.0, 2.0, 1.0], label_4=0), unread("c"))
    first, _, enhancing, whole = told.volumes
    assert first.quartiles == pytest.approx((1, 1.75, 2.5, 3.25, 4))
    assert (first.bins[4], first.bins[19], sum(first.bins)) == (0, 1, 2)
    assert (enhancing.present, enhancing.absent) == (1, 1)
    assert whole.quartiles[-1] == pytest.approx(84)


def test_grids_and_conventions_of_several_kinds_are_told():
    other = {"shape": [64, 64, 64], "spacing": [2.0, 2.0, 2.5], "convention": "brats2023"}
    told = facts(verdict("a"), verdict("b"), verdict("c", **other), verdict("d", convention=None), unread("e"))
    assert [(grid.grid, grid.usable, grid.dropped) for grid in told.grids] == [
        ("240 × 240 × 155 voxels of 1 mm", 3, 0),
        ("64 × 64 × 64 voxels of 2 × 2 × 2.5 mm", 1, 0),
    ]
    assert told.conventions == {"written as 4 (BraTS 2021)": 2, "written as 3 (BraTS 2023)": 1, "absent": 1}
    assert [section for _, section in told.notes] == ["reasons", "grids", "cases"]


def test_images_that_stand_out_are_named_the_farthest_three():
    medians = [500, 510, 490, 505, 495, 500, 510, 490, 505, 495, 5000, 4000, -3000, 2000]
    modality = facts(*(verdict(f"{number:02d}", median=float(m)) for number, m in enumerate(medians))).intensities[3]
    assert (modality.name, modality.cases, modality.unusual) == ("FLAIR", 14, 4)
    assert [outlier.case.case for outlier in modality.outliers] == ["10", "12", "11"]
    assert modality.outliers[1].score < 0
    assert modality.spans["median"] == (-3000, 502.5, 5000)


def test_equal_intensities_make_no_case_stand_out():
    assert robust_scores([5.0, 5.0, 5.0, 9.0]) == [0, 0, 0, 0]
    assert facts(verdict("a", intensities={"t1": {}})).intensities[0].cases == 0
