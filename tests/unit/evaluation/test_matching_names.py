from pathlib import Path

import pytest

from tests.support.case_files import TASK
from tumorseg.evaluation.matching import case_of_mask, folder_names


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("BraTS-GLI-00005-000.nii.gz", "BraTS-GLI-00005-000"),
        ("BraTS-GLI-00005-000-seg.nii.gz", "BraTS-GLI-00005-000"),
        ("BraTS-GLI-00005-000_pred.nii.gz", "BraTS-GLI-00005-000"),
        ("model2_BraTS-GLI-00005-000-final.NII", "BraTS-GLI-00005-000"),
        ("brats-gli-00005-000.nii.gz", "BraTS-GLI-00005-000"),
        ("BraTS-MEN-RT-0001-1.nii.gz", "BraTS-MEN-RT-0001-1"),
        ("BraTS2021_00005.nii.gz", "BraTS2021_00005"),
        ("BRATS2021_00005_seg.nii", "BraTS2021_00005"),
        ("BraTS2021_00005_2.nii.gz", "BraTS2021_00005"),
        ("BraTS20_Training_001_seg.nii.gz", "BraTS20_Training_001"),
        ("BraTS19_2013_0_1_seg.nii.gz", "BraTS19_2013_0_1"),
        ("Brats18_CBICA_AAB_1.nii.gz", "BraTS18_CBICA_AAB_1"),
    ],
)
def test_a_brats_case_is_found_anywhere_in_a_name(name, case):
    assert case_of_mask(name, (), TASK) == case


def test_the_same_number_in_two_spellings_means_different_cases():
    assert case_of_mask("BraTS-GLI-00005-000.nii.gz", (), TASK) != case_of_mask("BraTS2021_00005.nii.gz", (), TASK)


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("patient 7.nii.gz", "patient 7"),
        ("patient-7-seg.nii", "patient-7"),
        ("patient_7_SEG.nii.gz", "patient_7"),
        ("v1.2.nii.gz", "v1.2"),
    ],
)
def test_another_mask_has_its_name_without_suffix_and_role(name, case):
    assert case_of_mask(name, (), TASK) == case


@pytest.mark.parametrize(
    "name",
    [
        "BraTS-GLI-00005-000-t1n.nii.gz",
        "BraTS2021_00005_t1ce.nii",
        "patient_7_flair.nii.gz",
        "BraTS-GLI-00005-000-probabilities.nii.gz",
        "notes.txt",
        "BraTS-GLI-00005-000.nii.gz.part",
    ],
)
def test_modalities_probabilities_and_other_files_are_not_masks(name):
    assert case_of_mask(name, (), TASK) is None


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["one/masks", "two/masks", "c"], ["one-masks", "two-masks", "c"]),
        (["x/one/masks", "y/one/masks"], ["x-one-masks", "y-one-masks"]),
        (["one/Masks", "two/masks"], ["one-Masks", "two-masks"]),
    ],
)
def test_folders_with_equal_names_are_distinguished_by_their_parents(folders, names):
    assert folder_names([Path(folder) for folder in folders]) == names


def test_the_working_directory_has_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert folder_names([Path()]) == [tmp_path.name]
