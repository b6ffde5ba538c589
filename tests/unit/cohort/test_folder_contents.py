"""Files in the folder of a case that are not understood: named where something is missing."""

import pytest

from tests.support.case_files import CASE, path_of, verdict, write_sound


@pytest.mark.parametrize(
    "name", ["other_t1.nii.gz", "final.nii", "a{b}_t1.nii.gz", "T1.mha", "anat/x.nii", "b\x07.nii"]
)
def test_files_that_are_not_understood_are_named_where_one_is_missing(tmp_path, name):
    write_sound(tmp_path)
    path_of(tmp_path, "t1").unlink()
    file = tmp_path / CASE / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    (tmp_path / CASE / "notes.txt").touch()
    (problem,) = verdict(tmp_path).problems
    shown = {"anat/x.nii": "anat/", "b\x07.nii": r"b\x07.nii"}.get(name, name)
    assert problem.code == "missing_modality"
    assert f"Found, but not understood: {shown}" in problem.message
    assert "notes.txt" not in problem.message


def test_many_such_files_are_counted(tmp_path):
    write_sound(tmp_path)
    path_of(tmp_path, "seg").unlink()
    for number in range(8):
        (tmp_path / CASE / f"{number}.nii").touch()
    (problem,) = verdict(tmp_path).problems
    assert problem.message.endswith("Found, but not understood: 0.nii, 1.nii, 2.nii, 3.nii, 4.nii and 3 more")


def test_files_beside_a_complete_case_are_no_reason_for_a_warning(tmp_path):
    write_sound(tmp_path)
    (tmp_path / CASE / "other.nii.gz").touch()
    found = verdict(tmp_path)
    assert (found.problems, found.warnings) == ((), ())
