import pytest

from tumorseg.cohort.discover import discover, from_json, to_json
from tumorseg.errors import UserError


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def test_cases_come_sorted_with_paths_relative_to_the_root(tmp_path):
    touch(tmp_path, "B_2/B_2_t1.nii.gz", "B_1/B_1_t1.nii.gz", "B_1/B_1_seg.nii.gz")
    first, second = discover(tmp_path)
    assert (first.case, second.case) == ("B_1", "B_2")
    assert first.files == {"t1": ("B_1/B_1_t1.nii.gz",), "seg": ("B_1/B_1_seg.nii.gz",)}


def test_a_folder_named_like_a_file_gives_the_file_inside(tmp_path):
    inner = "B-1/B-1-t1c.nii/00000057_brain_t1ce.nii"
    touch(tmp_path, inner, "B-1/B-1-t1c.nii/._00000057_brain_t1ce.nii", "B-1/B-1-t1c.nii/notes.txt")
    assert discover(tmp_path)[0].files == {"t1ce": (inner,)}


def test_a_modality_that_stands_there_twice_has_two_files(tmp_path):
    touch(tmp_path, "B-1/B-1-t1n.nii.gz", "B-1/B-1-t1n.nii")
    assert discover(tmp_path)[0].files["t1"] == ("B-1/B-1-t1n.nii", "B-1/B-1-t1n.nii.gz")


def test_strays_are_ignored(tmp_path):
    touch(tmp_path, "B-1/B-1-t1n.nii.gz", "B-1/._B-1-t1n.nii.gz", "B-1/.DS_Store", "B-0-t1n.nii.gz", ".cache/x-t1n.nii")
    (case,) = discover(tmp_path)
    assert case.files == {"t1": ("B-1/B-1-t1n.nii.gz",)}


def test_a_file_of_another_case_does_not_stand_in(tmp_path):
    touch(tmp_path, "B-1/B-1-t1n.nii.gz", "B-1/B-2-t1c.nii.gz", "B-1/B-2-t2w.nii.gz", "B-1/B-2-t2f.nii.gz")
    assert list(discover(tmp_path)[0].files) == ["t1"]


def test_a_renamed_folder_keeps_its_files(tmp_path):
    touch(tmp_path, "patient 7/B-1-t1n.nii.gz", "patient 7/B-1-t1c.nii.gz")
    (case,) = discover(tmp_path)
    assert (case.case, list(case.files)) == ("patient 7", ["t1", "t1ce"])


def test_a_folder_without_any_known_file_is_a_case(tmp_path):
    touch(tmp_path, "B-1/B-1-t1n.nii.gz", "B-2/readme.txt")
    assert [(case.case, len(case.files)) for case in discover(tmp_path)] == [("B-1", 1), ("B-2", 0)]


def test_a_broken_link_is_still_a_file_of_the_case(tmp_path):
    touch(tmp_path, "B-1/B-1-t1n.nii.gz")
    (tmp_path / "B-1/B-1-t1c.nii.gz").symlink_to("gone")
    assert list(discover(tmp_path)[0].files) == ["t1", "t1ce"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot list"),
        ([], "no folder in it"),
        (["B-1/readme.txt"], "no image was found"),
        (["B-1-t1n.nii.gz"], "folder of one case"),
        (["B-1-t1n.nii/57_t1.nii"], "folder of one case"),
        (["BraTS/B-1/B-1-t1n.nii.gz"], "one level deeper, in .*BraTS"),
    ],
)
def test_a_wrong_root_is_told_with_the_key_and_what_is_expected(tmp_path, content, words):
    root = tmp_path / "data"
    if content is not None:
        root.mkdir()
        touch(root, *content)
    with pytest.raises(UserError, match=f"cohort.root: .*{words}") as error:
        discover(root)
    assert "one folder per case" in str(error.value)


def test_a_case_survives_json(tmp_path):
    touch(tmp_path, "Bé 1/Bé 1-t1n.nii.gz", "Bé 1/Bé 1-t1n.nii")
    (case,) = discover(tmp_path)
    assert from_json(to_json(case)) == case
    assert "\n" not in to_json(case)
