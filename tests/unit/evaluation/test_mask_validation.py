"""References that write labels in different ways: those of a task, or masks of another one in which all is one way."""

import numpy as np
import pytest

from tests.support.case_files import AFFINE, mask
from tests.support.score_folders import Folders
from tumorseg.io.nifti import write_nifti
from tumorseg.task import load_task

TREATED = "brats-glioma-post-treatment"
MAP = {1: 1, 2: 2, 3: 4, 4: 4}


@pytest.fixture
def folders(tmp_path):
    """Masks without images, under names that say nothing: one has 3, one 4."""
    found = Folders(tmp_path)
    for name, volume in (("case_01", mask(3)), ("case_02", mask(4))):
        found.predict(f"{name}.nii.gz", volume)
        write_nifti(found.references / f"{name}.nii.gz", volume, AFFINE)
    return found


def refused(folders, capsys, **options):
    with pytest.raises(SystemExit, match="1"):
        folders.score("predictions", **options)
    return capsys.readouterr().err


@pytest.mark.parametrize("labels", ["auto", "mixed"])
def test_values_of_another_task_are_refused_with_the_tasks_and_the_map_to_set(folders, capsys, labels):
    said = refused(folders, capsys, labels=labels)
    assert "case_01.nii.gz as brats2023 and case_02.nii.gz as brats2021" in said
    assert f"set cohort.task: {TREATED} or brats-metastases or brats-paediatric" in said
    assert "say in cohort.label_map what each value means: {1: 1, 2: 2, 3: 4, 4: 4}" in said


def test_what_the_message_says_to_set_is_scored_as_it_means(folders):
    table, _ = folders.scored(task=TREATED)
    assert table.loc[("case_02", "ET"), "reference_voxels"] == 0
    assert table.loc[("case_02", "RC"), "reference_voxels"] == np.count_nonzero(mask(4) == 4)
    table, _ = folders.scored(task=load_task().with_label_map(MAP).to_json())
    assert table.loc[("case_02", "ET"), "reference_voxels"] == np.count_nonzero(mask(4) == 4)


def test_names_of_the_task_leave_no_doubt_where_conventions_may_be_mixed(tmp_path):
    found = Folders(tmp_path)
    for name, volume in (("BraTS-GLI-00001-000", mask(3)), ("BraTS2021_00002", mask(4))):
        found.predict(f"{name}.nii.gz", volume)
        write_nifti(found.references / f"{name}.nii.gz", volume, AFFINE)
    assert (found.scored(labels="mixed")[0]["dice"] == 1).all()


def test_a_setting_that_a_mask_contradicts_is_told_with_the_tasks_that_read_it_otherwise(folders, capsys):
    said = refused(folders, capsys, labels="brats2023")
    assert "case_02.nii.gz: labels are written as in brats2021, but cohort.labels is brats2023" in said
    assert f"change the setting, or set cohort.task: {TREATED} or brats-metastases" in said


def test_a_value_that_the_label_map_lacks_is_to_be_said_there(folders, capsys):
    folders.predict("case_02.nii.gz", mask(3))
    write_nifti(folders.references / "case_02.nii.gz", mask(3), AFFINE)
    said = refused(folders, capsys, label_maps=[{"3": 4}])
    assert "other values (1, 2) than the label map has (0, 3); add these values to score.label_map" in said
