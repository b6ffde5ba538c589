"""The problem of a missing file lists files in the case folder that are not understood."""

import pytest

from tests.support.case_files import CASE, path_of, validated, write_valid_case


@pytest.mark.parametrize(
    "name", ["other_t1.nii.gz", "final.nii", "a{b}_t1.nii.gz", "T1.mha", "anat/x.nii", "b\x07.nii"]
)
def test_files_that_are_not_understood_are_listed_if_one_is_missing(tmp_path, name):
    write_valid_case(tmp_path)
    path_of(tmp_path, "t1").unlink()
    file = tmp_path / CASE / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    (tmp_path / CASE / "notes.txt").touch()
    (problem,) = validated(tmp_path).problems
    listed = {"anat/x.nii": "anat/", "b\x07.nii": r"b\x07.nii"}.get(name, name)
    assert problem.code == "missing_modality"
    assert f"Found, but not understood: {listed}" in problem.message
    assert "notes.txt" not in problem.message


def test_a_long_list_is_shortened(tmp_path):
    write_valid_case(tmp_path)
    path_of(tmp_path, "seg").unlink()
    for number in range(8):
        (tmp_path / CASE / f"{number}.nii").touch()
    (problem,) = validated(tmp_path).problems
    assert problem.message.endswith("Found, but not understood: 0.nii, 1.nii, 2.nii, 3.nii, 4.nii and 3 more")


def test_other_files_in_the_folder_of_a_complete_case_give_no_warning(tmp_path):
    write_valid_case(tmp_path)
    (tmp_path / CASE / "other.nii.gz").touch()
    found = validated(tmp_path)
    assert (found.problems, found.warnings) == ((), ())
