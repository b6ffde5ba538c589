from tumorseg.cohort.validation_result import Issue
from tumorseg.reporting.shared.shared_warnings import SharedWarning, shared_warnings

SPACING, BORDER = "non_unit_spacing", "brain_at_image_border"


def warnings(*messages, code=SPACING):
    """Return a warning for each case, with these messages."""
    return [(Issue(code, f"case-{number}/t1.nii.gz", message),) for number, message in enumerate(messages)]


def test_a_warning_of_all_cases_stands_once():
    assert shared_warnings(warnings("voxels are 2.5 mm", "voxels are 2.5 mm")) == [
        SharedWarning(SPACING, "voxels are 2.5 mm.")
    ]


def test_different_messages_are_replaced_by_the_meaning_of_the_code():
    (shared,) = shared_warnings(warnings("voxels are 2.5 mm", "voxels are 3 mm"))
    assert shared.text == "Voxels are not cubes of 1 mm."


def test_warnings_of_the_preparation_have_a_meaning_too():
    (shared,) = shared_warnings(warnings("T1 ends in the brain", "T2 ends in the brain", code=BORDER))
    assert shared.text == "The field of view cuts through the brain."


def test_a_warning_of_some_cases_or_of_a_single_case_is_not_shared():
    assert shared_warnings([*warnings("voxels are 2.5 mm"), ()]) == []
    assert shared_warnings(warnings("voxels are 2.5 mm")) == []
