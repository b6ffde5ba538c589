"""Case 15: reoriented masks with a matching header, and reoriented masks with the header of the reference."""

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK, check_case
from tests.support.score_folders import Folders
from tumorseg.cohort.discovery import discover_cases

RAS, ASL, FLIPPED, TRANSPOSED, SAME = [f"BraTS2021_0100{number}" for number in range(5)]


@pytest.fixture
def data(tmp_path):
    return generate_case("15", tmp_path)


def test_masks_in_another_orientation_are_reoriented_with_a_warning(data):
    found = {
        files.case: check_case(data / "cohort", files, shape=None, labels="auto")
        for files in discover_cases(data / "cohort", TASK)
    }
    assert all(found[case].usable for case in (RAS, ASL, SAME))
    reoriented = [case for case in found if "mask_reoriented" in {warning.code for warning in found[case].warnings}]
    assert reoriented == [RAS, ASL]


def test_reoriented_predictions_score_1_and_wrong_headers_get_a_hint(data, capsys):
    table, summary = Folders(data).scored()
    whole = table["dice"].unstack()["WT"]
    assert (whole[[RAS, ASL, SAME]] == 1).all()
    assert (whole[[FLIPPED, TRANSPOSED]] < 0.7).all()
    assert summary["unusable"] == []
    assert [note["case"] for note in summary["notes"]] == [RAS, ASL]
    hints = {hint["case"]: hint["hint"] for hint in summary["hints"]}
    assert list(hints) == [FLIPPED, TRANSPOSED]
    assert "would be 1.00 with the mask flipped left-right; " in hints[FLIPPED]
    assert "would be 1.00 with the mask with its axes in the order 3, 2, 1; " in hints[TRANSPOSED]
    output = capsys.readouterr().err
    assert f"{FLIPPED}.nii.gz: {hints[FLIPPED]}" in output
