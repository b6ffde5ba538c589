from dataclasses import replace

import pytest

from tumorseg.cohort.case_summary import summarise_cases
from tumorseg.cohort.manifest import build_manifest
from tumorseg.cohort.overview import summarise_cohort
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import UserError
from tumorseg.task import Task, load_task

TASK = load_task()


def validated(case="a", *, problems=(), warnings=(), median=500.0, **facts):
    """Return the result of a case of 240x240x155 voxels of 1 mm, whose images differ from those of other names."""
    intensities = {"min": 1.0, "p01": 10.0, "median": median, "p99": 900.0, "max": 1000.0}
    known = {
        "shape": [240, 240, 155],
        "spacing": [1.0, 1.0, 1.0],
        "convention": "brats2021",
        "label_1": 1000,
        "label_2": 20000,
        "label_4": 3000,
        "tumour_crc32": 0,
        "intensities": dict.fromkeys(TASK.channel_names, intensities),
        "files": {role: {"path": f"{case}/{role}", "sample_digest": case} for role in (*TASK.channel_names, "seg")},
    }
    return ValidationResult(case, not problems, tuple(problems), tuple(warnings), known | facts)


def unread(case, code="unreadable", message="it cannot be read"):
    return replace(validated(case, problems=[Issue(code, f"{case}/t1.nii", message)]), facts={"files": {}})


def overview_of(*results, task: Task = TASK):
    return summarise_cohort(summarise_cases(build_manifest(results, task=TASK), results, task), task)


def test_codes_are_counted_once_per_case_most_frequent_first():
    twice = [Issue("truncated", "c/t1.nii", "stops"), Issue("truncated", "c/t2.nii", "stops")]
    overview = overview_of(validated("a"), unread("b"), validated("c", problems=twice), unread("d"))
    assert [(summary.code, [case.case for case in summary.cases]) for summary in overview.problems] == [
        ("unreadable", ["b", "d"]),
        ("truncated", ["c"]),
    ]
    assert (len(overview.usable), len(overview.dropped), overview.patients) == (1, 3, 1)
    assert overview.notes == [("3 of 4 cases dropped.", "problems")]


def test_a_duplicate_case_is_dropped_although_its_own_result_is_usable():
    twin = replace(validated("b"), facts=validated("a").facts)
    (case,) = overview_of(validated("a"), twin).dropped
    assert case.problems[0].code == "duplicate_case"
    assert case.problems[0].file == ""
    assert "has the same images and mask as a" in case.problems[0].message


def test_a_manifest_of_other_cases_is_refused():
    with pytest.raises(UserError, match="different cases"):
        summarise_cases(build_manifest([validated("a")], task=TASK), [validated("b")], TASK)


def test_volumes_are_millilitres_over_the_cases_that_have_the_label():
    overview = overview_of(validated("a"), validated("b", spacing=[2.0, 2.0, 1.0], label_4=0), unread("c"))
    first, _, enhancing, whole = overview.volumes
    assert first.quartiles_ml == pytest.approx((1, 1.75, 2.5, 3.25, 4))
    assert (first.bins[4], first.bins[19], sum(first.bins)) == (0, 1, 2)
    assert (enhancing.present, enhancing.absent) == (1, 1)
    assert whole.quartiles_ml[-1] == pytest.approx(84)


def test_several_grids_and_conventions_are_counted():
    other = {"shape": [64, 64, 64], "spacing": [2.0, 2.0, 2.5], "convention": "brats2023"}
    overview = overview_of(
        validated("a"), validated("b"), validated("c", **other), validated("d", convention=None), unread("e")
    )
    assert [(grid.grid, grid.usable, grid.dropped) for grid in overview.grids] == [
        ("240 × 240 × 155 voxels of 1 mm", 3, 0),
        ("64 × 64 × 64 voxels of 2 × 2 × 2.5 mm", 1, 0),
    ]
    assert overview.conventions == {
        "brats2021 (enhancing tumour as 4)": 2,
        "brats2023 (enhancing tumour as 3)": 1,
        "none (no enhancing tumour)": 1,
    }
    assert [section for _, section in overview.notes] == ["problems", "grids", "cases"]


def test_the_span_of_each_statistic_is_over_the_cases_that_have_the_image():
    modality = overview_of(
        *(validated(f"{number}", median=float(m)) for number, m in enumerate((500, 5000, -3000, 510)))
    ).intensities[3]
    assert (modality.name, modality.cases, modality.spans["median"]) == ("FLAIR", 4, (-3000, 505, 5000))
    assert overview_of(validated("a", intensities={"t1": {}})).intensities[0].cases == 0


def test_the_whole_tumour_follows_the_task_and_is_left_out_with_one_label():
    after = load_task("brats-glioma-post-treatment")
    overview = overview_of(validated("a", label_3=500, label_4=70_000), task=after)
    assert [summary.name for summary in overview.volumes][-2:] == ["Label 4: resection cavity", "Whole tumour"]
    assert overview.volumes[-1].quartiles_ml[0] == pytest.approx(21.5)
    (only,) = overview_of(validated("a"), task=load_task("brats-meningioma-radiotherapy")).volumes
    assert only.name == "Label 1: gross tumour volume"


def test_conventions_are_counted_only_if_the_task_has_several():
    overview = overview_of(validated("a", label_3=0, convention="task"), task=load_task("brats-glioma-post-treatment"))
    assert overview.conventions == {}
    assert (
        overview_of(validated("a", convention="label_map"), task=TASK.with_label_map({1: 2, 2: 1, 3: 4})).conventions
        == {}
    )


def test_images_have_the_titles_of_the_task():
    (image,) = overview_of(validated("a"), task=load_task("brats-meningioma-radiotherapy")).intensities
    assert (image.name, image.cases) == ("T1CE", 1)
