"""Several data folders are one cohort; a case in two folders and overlapping folders are refused."""

from pathlib import Path

import pytest

from tests.support.case_files import TASK, check_case, write_empty_files, write_valid_case
from tumorseg.cohort.discovery import discover_cases, discover_roots, locate_roots
from tumorseg.errors import UserError


def case_paths(folder: str, case: str) -> list[str]:
    return [f"{folder}/{case}/{case}_{role}.nii.gz" for role in ("t1", "t1ce", "t2", "flair", "seg")]


def find_cases(*roots, notes=None):
    base, subfolders, new_notes = locate_roots([Path(root) for root in roots], TASK)
    if notes is not None:
        notes += new_notes
    return base, discover_roots(base, subfolders, TASK)


def test_one_folder_gives_the_same_cases_as_discover_cases(tmp_path):
    write_empty_files(tmp_path, *case_paths("data", "B1"))
    assert find_cases(tmp_path / "data") == (tmp_path / "data", discover_cases(tmp_path / "data", TASK))


def test_paths_are_relative_to_the_common_folder(tmp_path, monkeypatch):
    write_empty_files(tmp_path, *case_paths("data/b", "B1"), *case_paths("data/a/deep", "B2"))
    monkeypatch.chdir(tmp_path)
    notes = []
    base, (first, second) = find_cases("data/a/deep", "data/b", notes=notes)
    assert (base, notes) == (Path("data"), [])
    assert (first.case, first.folder, first.files["t1"]) == ("B1", "b/B1", ("b/B1/B1_t1.nii.gz",))
    assert (second.case, second.folder) == ("B2", "a/deep/B2")


def test_a_folder_one_level_too_high_gives_a_note(tmp_path):
    write_empty_files(tmp_path, *case_paths("a/inner", "B1"), *case_paths("b", "B2"))
    notes = []
    _, (first, _) = find_cases(tmp_path / "a", tmp_path / "b", notes=notes)
    assert first.folder == "a/inner/B1"
    assert "; using" in notes[0]


def test_one_of_several_folders_may_be_a_case_folder(tmp_path):
    write_empty_files(tmp_path, *case_paths("a", "B1"), *case_paths("a", "B3"), *case_paths("b", "B2"))
    assert [case.case for case in find_cases(tmp_path / "a/B1", tmp_path / "b")[1]] == ["B1", "B2"]


def test_cases_whose_files_share_a_folder_have_no_folder(tmp_path):
    write_empty_files(
        tmp_path, *(f"a/B{number}_{role}.nii.gz" for number in (1, 3) for role in ("t1", "t2")), *case_paths("b", "B2")
    )
    assert [case.folder for case in find_cases(tmp_path / "a", tmp_path / "b")[1]] == [None, "b/B2", None]


@pytest.mark.parametrize("case", ["B1", "b1"])
def test_a_case_in_two_folders_is_refused(tmp_path, case):
    write_empty_files(tmp_path, *case_paths("a", "B1"), *case_paths("b", case))
    with pytest.raises(UserError, match=rf"the case {case} is in {tmp_path}/a and in {tmp_path}/b; rename"):
        find_cases(tmp_path / "a", tmp_path / "b")


def test_overlapping_folders_are_refused(tmp_path):
    write_empty_files(tmp_path, *case_paths("a", "B1"), *case_paths("a/more", "B2"))
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UserError, match=r"a/more is inside .*a, so its cases would count twice"):
        discover_roots(tmp_path, ["a", "a/more"], TASK)
    with pytest.raises(UserError, match="is the same folder as"):
        find_cases(tmp_path / "a", tmp_path / "link")


def test_a_folder_without_cases_is_refused(tmp_path):
    write_empty_files(tmp_path, *case_paths("a", "B1"), "b/notes.txt")
    with pytest.raises(UserError, match=f"no image was found below {tmp_path}/b"):
        find_cases(tmp_path / "a", tmp_path / "b")


def test_cases_of_two_folders_are_usable(tmp_path):
    write_valid_case(tmp_path / "a")
    write_valid_case(tmp_path / "b", "BraTS-GLI-00002-000", seed=1)
    base, cases = find_cases(tmp_path / "a", tmp_path / "b")
    assert [check_case(base, case, shape=None, labels="auto").usable for case in cases] == [True, True]
