"""Case 04: masks with labels such as 1.0039, 2.00003 or 0.9999 are rounded, with a warning."""

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK, check_case
from tests.support.score_folders import Folders
from tumorseg.cohort.discovery import discover_cases

SCALED = ["BraTS2021_00200", "BraTS2021_00201", "BraTS2021_00202"]
EXACT = "BraTS2021_00203"


@pytest.fixture
def data(tmp_path):
    return generate_case("04", tmp_path)


def test_cases_are_usable_with_a_warning_for_rounded_masks(data):
    found = {
        files.case: check_case(data / "cohort", files, shape=None, labels="auto")
        for files in discover_cases(data / "cohort", TASK)
    }
    assert [result.problems for result in found.values()] == [()] * 4
    rounded = {case: "rounded_labels" in {warning.code for warning in found[case].warnings} for case in found}
    assert rounded == {**dict.fromkeys(SCALED, True), EXACT: False}
    assert len({tuple(result.facts["labels"]) for result in found.values()}) == 1


def test_the_same_masks_as_predictions_have_a_dice_of_1(data, capsys):
    table, summary = Folders(data).scored()
    assert (table["dice"] == 1).all()
    assert summary["unusable"] == summary["missing"] == summary["hints"] == []
    assert [note["case"] for note in summary["notes"]] == SCALED
    output = capsys.readouterr().err
    assert all(f"{case}.nii.gz: values of the mask (" in output for case in SCALED)
    assert f"{EXACT}.nii.gz: " not in output
