"""Case 01: a post-treatment cohort, whose label 4 is the resection cavity and not enhancing tumour."""

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tests.support.validated_cohorts import cohort_check_result, copy_renamed, validate_cohort
from tumorseg.errors import UserError
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.task import load_task

POST_TREATMENT = load_task("brats-glioma-post-treatment")
WITH_CAVITY = ["BraTS-GLI-02000-100", "BraTS-GLI-02004-100", "BraTS-GLI-02005-100", "BraTS-GLI-02006-100"]
SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return generate_case("01", tmp_path_factory.mktemp("01")) / "cohort"


def codes(result):
    return [problem.code for problem in result.problems]


@pytest.mark.parametrize("labels", ["auto", "mixed"])
def test_the_default_task_refuses_the_cohort_and_names_the_right_task(cohort, labels):
    found = validate_cohort(cohort, TASK, labels)
    assert all("other_task" in codes(result) for result in found)
    with pytest.raises(UserError, match=r"8 of 8 .*set cohort.task: brats-glioma-post-treatment, or"):
        cohort_check_result(found, TASK, labels)


@pytest.mark.parametrize("labels", ["auto", "mixed"])
def test_a_cavity_is_refused_whatever_the_case_is_called(cohort, tmp_path, labels):
    neutral = copy_renamed(cohort, tmp_path, lambda number, _: f"patient{number}")
    found = validate_cohort(neutral, TASK, labels)
    assert [result.case for result in found if result.usable] == ["patient1", "patient2", "patient3", "patient7"]
    assert {tuple(codes(result)) for result in found[4:7]} == {("other_task",)}
    assert "darker than the brain on t1ce" in found[4].problems[0].message
    with pytest.raises(UserError, match=r"4 of 8 .*brats-glioma-post-treatment"):
        cohort_check_result(found, TASK, labels)


def test_upper_case_names_are_recognised(cohort, tmp_path):
    found = validate_cohort(copy_renamed(cohort, tmp_path, lambda _, case: case.upper()), TASK)
    assert all("other_task" in codes(result) for result in found)


def test_the_post_treatment_task_counts_each_label(cohort):
    found = validate_cohort(cohort, POST_TREATMENT)
    assert cohort_check_result(found, POST_TREATMENT)["usable"] == 8
    voxels = {result.case: [result.facts[name] for name in POST_TREATMENT.label_structures] for result in found}
    assert all(sum(labels[:3]) == 2969 for labels in voxels.values())
    assert {case: labels[3] for case, labels in voxels.items() if labels[3]} == dict.fromkeys(WITH_CAVITY, 895)
    assert [case for case, labels in voxels.items() if not labels[2]] == WITH_CAVITY[1:]


def test_a_label_map_removes_label_4(cohort):
    task = TASK.with_label_map({1: 1, 2: 2, 3: 4, 4: 0})
    found = validate_cohort(cohort, task)
    assert cohort_check_result(found, task)["usable"] == 8
    assert [sum(result.facts[f"label_{label}"] for label in (1, 2, 4)) for result in found] == [2969] * 8
    assert [result.facts["label_4"] for result in found] == [716] * 4 + [0] * 3 + [716]


def test_the_label_map_applies_to_the_normalised_mask(cohort):
    task = TASK.with_label_map({1: 1, 2: 2, 3: 4, 4: 0})
    result = validate_cohort(cohort, task)[0]
    mask = normalise_validated_case(cohort, result, SETTINGS, task=task).mask
    assert [(mask == label).sum() for label in (1, 2, 3, 4)] == [179, 2074, 0, 716]
