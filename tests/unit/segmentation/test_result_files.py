"""Names of the files of new patients."""

import pytest

from tumorseg.segmentation.result_files import (
    NIIVUE_FILE,
    PAGE_FILE,
    file_address,
    files_of_job,
    page_file,
    viewer_file,
)


@pytest.mark.parametrize("case", ["segmentations", "Segmentations", "segmentations_", "niivue", "NiiVue", "niivue_"])
def test_no_patient_has_the_file_of_another_patient_or_of_all(case):
    assert page_file(case).lower() != PAGE_FILE
    assert viewer_file(case).lower() != NIIVUE_FILE
    assert page_file(case) != page_file(f"{case}_")
    assert viewer_file(case) != viewer_file(f"{case}_")


def test_files_are_named_after_the_case():
    assert page_file("P-1") == "P-1.html"
    assert files_of_job("P-1", probabilities=False) == ["P-1.nii.gz", "P-1.png", "viewer/P-1.js"]
    assert files_of_job("P-1", probabilities=True)[-1] == "P-1-probabilities.nii.gz"


@pytest.mark.parametrize(
    ("name", "address"),
    [("viewer/P-1.js", "viewer/P-1.js"), ("a b#1?%.html", "a%20b%231%3F%25.html"), ("c:d.png", "c%3Ad.png")],
)
def test_an_address_means_the_file_whatever_its_name(name, address):
    assert file_address(name) == address
