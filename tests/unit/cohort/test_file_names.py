import pytest

from tests.support.case_files import TASK
from tumorseg.cohort.case_files import shard_of
from tumorseg.cohort.file_names import case_and_role, roles


def test_the_roles_are_the_channels_of_the_task_then_the_mask():
    assert list(roles(TASK)) == [*TASK.channel_names, "seg"]


@pytest.mark.parametrize(
    ("name", "case", "role"),
    [
        ("BraTS-GLI-00005-000-t1n.nii.gz", "BraTS-GLI-00005-000", "t1"),
        ("BraTS-GLI-00005-000-t1c.nii", "BraTS-GLI-00005-000", "t1ce"),
        ("BraTS-GLI-00005-000-t2W.nii.gz", "BraTS-GLI-00005-000", "t2"),
        ("BraTS-GLI-00005-000-t2f.NII.GZ", "BraTS-GLI-00005-000", "flair"),
        ("BraTS2021_00006_t1.nii.gz", "BraTS2021_00006", "t1"),
        ("BraTS2021_00006_t1ce.nii.gz", "BraTS2021_00006", "t1ce"),
        ("BraTS2021_00006_t2.nii", "BraTS2021_00006", "t2"),
        ("BraTS2021_00006_flair.nii.gz", "BraTS2021_00006", "flair"),
        ("BraTS2021_00006_seg.nii.gz", "BraTS2021_00006", "seg"),
    ],
)
def test_names_of_2023_and_2021_give_case_and_role(name, case, role):
    assert case_and_role(name, TASK) == (case, role)


@pytest.mark.parametrize(
    "name", ["._BraTS2021_00006_t1.nii.gz", ".DS_Store", "notes.txt", "A_t1.nii.gz.part", "A_adc.nii.gz", "t1.nii.gz"]
)
def test_hidden_and_other_files_have_no_role(name):
    assert case_and_role(name, TASK) is None


def test_the_shard_depends_on_the_name_of_the_case_alone():
    assert shard_of("BraTS-GLI-00005-000", 32) == "batch-029"
    assert {shard_of(f"case-{number}", 4) for number in range(100)} == {f"batch-00{number}" for number in range(4)}
