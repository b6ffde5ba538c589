"""Case 03: masks with the label order of nnU-Net and the Decathlon: 1 oedema, 2 necrosis."""

import shutil

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tests.support.validated_cohorts import cohort_check_result, copy_renamed, validate_cohort
from tumorseg.errors import UserError

EXCHANGED = ["BraTS2021_00102", "BraTS2021_00103"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return generate_case("03", tmp_path_factory.mktemp("03"))


def cases_with_warning(results):
    return [result.case for result in results if "labels_exchanged" in {found.code for found in result.warnings}]


def test_masks_in_the_right_order_get_no_warning(data):
    found = validate_cohort(data / "cohort", TASK)
    assert cases_with_warning(found) == []
    assert cohort_check_result(found, TASK)["doubts"] == []


def test_two_label_orders_in_one_cohort_are_reported(data):
    found = validate_cohort(data / "mixed", TASK)
    assert cases_with_warning(found) == EXCHANGED
    facts = cohort_check_result(found, TASK)
    assert facts["usable"] == 4
    (doubt,) = facts["doubts"]
    assert "core and oedema seem to be exchanged in 2 of 4 masks (BraTS2021_00102/BraTS2021_00102_seg" in doubt
    assert "the other masks seem correct (BraTS2021_00100/BraTS2021_00100_seg" in doubt


def test_a_cohort_with_only_that_order_is_refused_with_a_label_map(data, tmp_path):
    root = copy_renamed(data / "mixed", tmp_path, lambda _, case: case)
    for case in ("BraTS2021_00100", "BraTS2021_00101"):
        shutil.rmtree(root / case)
    with pytest.raises(UserError, match=r"cohort.label_map: .* in 2 of 2 masks .*set label_map: \{1: 2, 2: 1, 3: 4\}"):
        cohort_check_result(validate_cohort(root, TASK), TASK)
    task = TASK.with_label_map({1: 2, 2: 1, 3: 4})
    found = validate_cohort(root, task)
    assert cohort_check_result(found, task)["doubts"] == []
    assert [[result.facts[f"label_{label}"] for label in (1, 2, 4)] for result in found] == [[179, 2074, 716]] * 2
