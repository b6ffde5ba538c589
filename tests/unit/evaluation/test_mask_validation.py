"""References with mixed label conventions, which may be masks of another task with one convention."""

import numpy as np
import pytest

from tests.support.case_files import AFFINE, mask
from tests.support.score_folders import Folders
from tumorseg.io.nifti import write_nifti
from tumorseg.task import load_task

POST_TREATMENT = "brats-glioma-post-treatment"
MAP = {1: 1, 2: 2, 3: 4, 4: 4}


@pytest.fixture
def folders(tmp_path):
    """Masks without images and with neutral names. One has the value 3, the other 4."""
    folders = Folders(tmp_path)
    for name, volume in (("case_01", mask(3)), ("case_02", mask(4))):
        folders.predict(f"{name}.nii.gz", volume)
        write_nifti(folders.references / f"{name}.nii.gz", volume, AFFINE)
    return folders


def error_message(folders, capsys, **options):
    with pytest.raises(SystemExit, match="1"):
        folders.score("predictions", **options)
    return capsys.readouterr().err


@pytest.mark.parametrize("labels", ["auto", "mixed"])
def test_values_of_another_task_are_refused_with_the_settings_to_change(folders, capsys, labels):
    message = error_message(folders, capsys, labels=labels)
    assert "case_01.nii.gz as brats2023 and case_02.nii.gz as brats2021" in message
    assert f"set cohort.task: {POST_TREATMENT} or brats-metastases or brats-paediatric" in message
    assert "say in cohort.label_map what each value means: {1: 1, 2: 2, 3: 4, 4: 4}" in message


def test_the_suggested_settings_give_the_intended_labels(folders):
    table, _ = folders.scored(task=POST_TREATMENT)
    assert table.loc[("case_02", "ET"), "reference_voxels"] == 0
    assert table.loc[("case_02", "RC"), "reference_voxels"] == np.count_nonzero(mask(4) == 4)
    table, _ = folders.scored(task=load_task().with_label_map(MAP).to_json())
    assert table.loc[("case_02", "ET"), "reference_voxels"] == np.count_nonzero(mask(4) == 4)


def test_case_names_of_the_task_allow_mixed_conventions(tmp_path):
    folders = Folders(tmp_path)
    for name, volume in (("BraTS-GLI-00001-000", mask(3)), ("BraTS2021_00002", mask(4))):
        folders.predict(f"{name}.nii.gz", volume)
        write_nifti(folders.references / f"{name}.nii.gz", volume, AFFINE)
    assert (folders.scored(labels="mixed")[0]["dice"] == 1).all()


def test_a_mask_that_contradicts_cohort_labels_is_refused_with_other_tasks(folders, capsys):
    message = error_message(folders, capsys, labels="brats2023")
    assert "case_02.nii.gz: labels are written as in brats2021, but cohort.labels is brats2023" in message
    assert f"change the setting, or set cohort.task: {POST_TREATMENT} or brats-metastases" in message


def test_a_value_missing_in_the_label_map_is_reported(folders, capsys):
    folders.predict("case_02.nii.gz", mask(3))
    write_nifti(folders.references / "case_02.nii.gz", mask(3), AFFINE)
    message = error_message(folders, capsys, label_maps=[{"3": 4}])
    assert "other values (1, 2) than the label map has (0, 3); add these values to score.label_map" in message
