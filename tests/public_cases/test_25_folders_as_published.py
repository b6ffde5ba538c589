"""Case 25: published folder layouts: folders by grade, visits, two downloads, or separate masks. Each is one cohort."""

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_roots, locate_cohort_folder, locate_roots
from tumorseg.cohort.manifest import build_manifest
from tumorseg.task import load_task

PATIENTS = {
    "brats18": {"Brats18_TCIA01_100_1", "Brats18_TCIA01_101_1", "Brats18_TCIA09_100_1", "Brats18_TCIA09_101_1"},
    "visits": {"PatientID_0000", "PatientID_0001"},
    "masks-apart": {"BraTS2021_01500", "BraTS2021_01501"},
}
CASES = {"brats18": 4, "visits": 4, "masks-apart": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return generate_case("25", tmp_path_factory.mktemp("folders"))


def read_cohort(*roots, task=TASK):
    base, parts, _ = locate_roots(roots, task)
    cases = discover_roots(base, parts, task)
    return build_manifest(
        [validate_case(base, case, task=task, shape=None, labels="auto")[0] for case in cases], task=task
    )


@pytest.mark.parametrize("kind", CASES)
def test_the_folder_is_one_cohort(data, kind):
    assert locate_cohort_folder(data / kind, TASK) == (data / kind, None)
    table = read_cohort(data / kind)
    assert (len(table), list(table["detail"][~table["usable"]])) == (CASES[kind], [])
    assert set(table["channels"]) == {"t1,t1ce,t2,flair"}
    assert set(table["patient"]) == PATIENTS[kind]
    assert (table[["label_1", "label_2", "label_4"]] > 0).all(axis=None)


@pytest.mark.parametrize("roots", [[""], ["training_data1_v2", "training_data_additional"]])
def test_two_downloads_are_one_cohort_as_one_root_or_two(data, roots):
    task = load_task("brats-glioma-post-treatment")
    table = read_cohort(*(data / "two-downloads" / root for root in roots), task=task)
    assert list(table["case"]) == [f"BraTS-GLI-0{number}-100" for number in (2000, 2001, 3000, 3001)]
    assert set(table["channels"]) == {"t1,t1ce,t2,flair"}
    assert table["mask_file"].iloc[2].startswith("training_data_additional/")
