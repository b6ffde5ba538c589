"""Case 02: paediatric masks, whose 1 is enhancing tumour and whose 4 is oedema."""

import shutil

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tests.support.validated_cohorts import cohort_check_result, copy_renamed, validate_cohort
from tumorseg.errors import UserError
from tumorseg.task import load_task

PAEDIATRIC = load_task("brats-paediatric")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return generate_case("02", tmp_path_factory.mktemp("02")) / "cohort"


@pytest.mark.parametrize(
    "name",
    [lambda _, case: case, lambda _, case: case.upper(), lambda number, _: f"p{number}"],
    ids=["original", "upper-case", "neutral"],
)
def test_the_default_task_refuses_the_cohort_and_names_the_right_task(cohort, tmp_path, name):
    found = validate_cohort(copy_renamed(cohort, tmp_path, name), TASK)
    assert not any(result.usable for result in found if result.facts["labels"].get("4"))
    with pytest.raises(UserError, match=r"set cohort.task: brats-paediatric, or"):
        cohort_check_result(found, TASK)


def test_the_paediatric_task_counts_each_label(cohort):
    found = validate_cohort(cohort, PAEDIATRIC)
    assert cohort_check_result(found, PAEDIATRIC)["usable"] == 6
    voxels = [[result.facts[name] for name in PAEDIATRIC.label_structures] for result in found]
    usual = [716, 179, 0, 2074]
    assert voxels == [usual, usual, [0, 895, 0, 2074], usual, [716, 2253, 0, 0], usual]


def test_a_label_map_converts_to_the_labels_of_the_default_task(cohort):
    task = TASK.with_label_map({1: 4, 2: 1, 3: 1, 4: 2})
    found = validate_cohort(cohort, task)
    assert cohort_check_result(found, task)["usable"] == 6
    assert [result.facts["label_4"] for result in found] == [716, 716, 0, 716, 716, 716]


def test_two_paediatric_cases_in_an_adult_cohort_are_dropped_and_named(cohort, tmp_path):
    adults = generate_case("03", tmp_path) / "cohort"
    for case in ("BraTS-PED-00100-000", "BraTS-PED-00101-000"):
        shutil.copytree(cohort / case, adults / case)
    found = validate_cohort(adults, TASK)
    assert [result.case for result in found if not result.usable] == ["BraTS-PED-00100-000", "BraTS-PED-00101-000"]
    with pytest.raises(
        UserError, match=r"2 of 6 cases \(BraTS-PED-00100-000, BraTS-PED-00101-000\) .*; set .*brats-paediatric"
    ):
        cohort_check_result(found, TASK)


def test_one_paediatric_case_is_dropped_and_the_other_cases_are_used(cohort, tmp_path):
    adults = generate_case("03", tmp_path) / "cohort"
    shutil.copytree(cohort / "BraTS-PED-00100-000", adults / "BraTS-PED-00100-000")
    facts = cohort_check_result(validate_cohort(adults, TASK), TASK)
    assert (facts["usable"], facts["reasons"]) == (4, {"other_task": 1})
