"""A cohort in several folders is one cohort; a case in two of them, or a folder twice, is refused."""

from pathlib import Path

import pytest

from tests.support.case_files import TASK, check_case, tree, write_sound
from tumorseg.cohort.discovery import discover_cases, discover_roots, locate_roots
from tumorseg.errors import UserError


def names(folder: str, case: str) -> list[str]:
    return [f"{folder}/{case}/{case}_{role}.nii.gz" for role in ("t1", "t1ce", "t2", "flair", "seg")]


def found(*roots, said=None):
    base, parts, notes = locate_roots([Path(root) for root in roots], TASK)
    if said is not None:
        said += notes
    return base, discover_roots(base, parts, TASK)


def test_one_folder_is_read_as_ever(tmp_path):
    tree(tmp_path, *names("data", "B1"))
    assert found(tmp_path / "data") == (tmp_path / "data", discover_cases(tmp_path / "data", TASK))


def test_cases_of_two_folders_are_one_cohort_with_paths_from_their_common_folder(tmp_path, monkeypatch):
    tree(tmp_path, *names("data/b", "B1"), *names("data/a/deep", "B2"))
    monkeypatch.chdir(tmp_path)
    said = []
    base, (first, second) = found("data/a/deep", "data/b", said=said)
    assert (base, said) == (Path("data"), [])
    assert (first.case, first.folder, first.files["t1"]) == ("B1", "b/B1", ("b/B1/B1_t1.nii.gz",))
    assert (second.case, second.folder) == ("B2", "a/deep/B2")


def test_each_folder_may_be_one_too_high_and_that_is_said(tmp_path):
    tree(tmp_path, *names("a/inner", "B1"), *names("b", "B2"))
    said = []
    _, (first, _) = found(tmp_path / "a", tmp_path / "b", said=said)
    assert first.folder == "a/inner/B1"
    assert "; using" in said[0]


def test_a_folder_among_them_may_be_that_of_one_case(tmp_path):
    tree(tmp_path, *names("a", "B1"), *names("a", "B3"), *names("b", "B2"))
    assert [case.case for case in found(tmp_path / "a/B1", tmp_path / "b")[1]] == ["B1", "B2"]


def test_files_side_by_side_keep_no_folder(tmp_path):
    tree(tmp_path, *(f"a/B{number}_{role}.nii.gz" for number in (1, 3) for role in ("t1", "t2")), *names("b", "B2"))
    assert [case.folder for case in found(tmp_path / "a", tmp_path / "b")[1]] == [None, "b/B2", None]


@pytest.mark.parametrize("case", ["B1", "b1"])
def test_a_case_in_two_folders_is_refused_with_both(tmp_path, case):
    tree(tmp_path, *names("a", "B1"), *names("b", case))
    with pytest.raises(UserError, match=rf"the case {case} is in {tmp_path}/a and in {tmp_path}/b; rename"):
        found(tmp_path / "a", tmp_path / "b")


def test_a_folder_in_another_one_is_refused(tmp_path):
    tree(tmp_path, *names("a", "B1"), *names("a/more", "B2"))
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UserError, match=r"a/more is inside .*a, so its cases would count twice"):
        discover_roots(tmp_path, ["a", "a/more"], TASK)
    with pytest.raises(UserError, match="is the same folder as"):
        found(tmp_path / "a", tmp_path / "link")


def test_a_folder_without_cases_is_refused_by_name(tmp_path):
    tree(tmp_path, *names("a", "B1"), "b/notes.txt")
    with pytest.raises(UserError, match=f"no image was found below {tmp_path}/b"):
        found(tmp_path / "a", tmp_path / "b")


def test_the_cases_of_both_are_usable(tmp_path):
    write_sound(tmp_path / "a")
    write_sound(tmp_path / "b", "BraTS-GLI-00002-000", seed=1)
    base, cases = found(tmp_path / "a", tmp_path / "b")
    assert [check_case(base, case, shape=None, labels="auto").usable for case in cases] == [True, True]
