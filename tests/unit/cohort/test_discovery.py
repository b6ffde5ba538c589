import os
from pathlib import Path

import pytest

from tests.support.case_files import TASK, check_case, write_empty_files
from tumorseg.cohort.case_files import CaseFiles, case_from_json, case_to_json
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.errors import UserError


def test_cases_are_sorted_and_paths_are_relative_to_the_root(tmp_path):
    write_empty_files(tmp_path, "B_2/B_2_t1.nii.gz", "B_1/B_1_t1.nii.gz", "B_1/B_1_seg.nii.gz")
    first, second = discover_cases(tmp_path, TASK)
    assert (first.case, second.case) == ("B_1", "B_2")
    assert first.files == {"t1": ("B_1/B_1_t1.nii.gz",), "seg": ("B_1/B_1_seg.nii.gz",)}


def test_a_folder_with_the_name_of_a_file_stands_for_the_file_in_it(tmp_path):
    inner = "B-1/B-1-t1c.nii/00000057_brain_t1ce.nii"
    write_empty_files(tmp_path, inner, "B-1/B-1-t1c.nii/._00000057_brain_t1ce.nii", "B-1/B-1-t1c.nii/notes.txt")
    assert discover_cases(tmp_path, TASK)[0].files == {"t1ce": (inner,)}


def test_a_channel_with_two_files_has_two_paths(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz", "B-1/B-1-t1n.nii")
    assert discover_cases(tmp_path, TASK)[0].files["t1"] == ("B-1/B-1-t1n.nii", "B-1/B-1-t1n.nii.gz")


def test_hidden_files_and_files_beside_case_folders_are_ignored(tmp_path):
    write_empty_files(
        tmp_path, "B-1/B-1-t1n.nii.gz", "B-1/._B-1-t1n.nii.gz", "B-1/.DS_Store", "B-0-t1n.nii.gz", ".cache/x-t1n.nii"
    )
    (case,) = discover_cases(tmp_path, TASK)
    assert case.files == {"t1": ("B-1/B-1-t1n.nii.gz",)}


def test_a_file_of_another_case_is_not_used(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz", "B-1/B-2-t1c.nii.gz", "B-1/B-2-t2w.nii.gz", "B-1/B-2-t2f.nii.gz")
    assert list(discover_cases(tmp_path, TASK)[0].files) == ["t1"]


def test_a_renamed_folder_keeps_its_files(tmp_path):
    write_empty_files(tmp_path, "patient 7/B-1-t1n.nii.gz", "patient 7/B-1-t1c.nii.gz")
    (case,) = discover_cases(tmp_path, TASK)
    assert (case.case, list(case.files)) == ("patient 7", ["t1", "t1ce"])


def test_a_folder_without_any_known_file_is_a_case(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz", "B-2/readme.txt")
    assert [(case.case, len(case.files)) for case in discover_cases(tmp_path, TASK)] == [("B-1", 1), ("B-2", 0)]


def test_a_broken_link_is_still_a_file_of_the_case(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz")
    (tmp_path / "B-1/B-1-t1c.nii.gz").symlink_to("gone")
    assert list(discover_cases(tmp_path, TASK)[0].files) == ["t1", "t1ce"]


def test_the_macosx_folder_of_archives_is_not_a_case(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz", "__MACOSX/B-1/._B-1-t1n.nii.gz")
    assert [case.case for case in discover_cases(tmp_path, TASK)] == ["B-1"]


def test_an_archive_of_a_case_is_a_case_without_files(tmp_path):
    write_empty_files(tmp_path, "BraTS-GLI-00001-000/BraTS-GLI-00001-000-t1n.nii.gz", "BraTS-GLI-00002-000.zip")
    write_empty_files(tmp_path, "BraTS-GLI-00001-000.zip", "TrainingData.zip")
    assert [(case.case, len(case.files)) for case in discover_cases(tmp_path, TASK)] == [
        ("BraTS-GLI-00001-000", 1),
        ("BraTS-GLI-00002-000", 0),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot list .*one folder per case"),
        ([], "no image was found .*one folder per case"),
        (["B-1/readme.txt"], "no image was found .*one folder per case"),
        (["TrainingData.zip", "more.tar.gz"], r"it holds archives \(TrainingData.zip, more.tar.gz\): extract them"),
    ],
)
def test_the_error_about_a_wrong_root_has_the_key_and_the_expected_layout(tmp_path, content, message):
    root = tmp_path / "data"
    if content is not None:
        root.mkdir()
        write_empty_files(root, *content)
    assert locate_cohort_folder(root, TASK) == (root, None)
    with pytest.raises(UserError, match=f"cohort.root: .*{message}"):
        discover_cases(root, TASK)


def test_a_root_of_case_folders_is_used_as_it_is(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz", "more/B-2/B-2-t1n.nii.gz", "B-9-t1n.nii.gz")
    assert locate_cohort_folder(tmp_path, TASK) == (tmp_path, None)


@pytest.mark.parametrize("image", ["B-1/B-1-t1n.nii.gz", "B-1/B-1-t1n.nii/57_t1.nii"])
def test_a_root_one_level_too_high_or_too_low_gives_the_right_folder_and_a_note(tmp_path, image):
    write_empty_files(
        tmp_path, f"cohort/TrainingData/{image}", "cohort/__MACOSX/B-1/B-1-t1n.nii.gz", "cohort/documents/read.txt"
    )
    data_folder = tmp_path / "cohort/TrainingData"
    folder, note = locate_cohort_folder(tmp_path / "cohort", TASK)
    assert (folder, str(data_folder) in note) == (data_folder, True)
    folder, note = locate_cohort_folder(data_folder / "B-1", TASK)
    assert (folder, str(data_folder) in note) == (data_folder, True)
    assert [case.case for case in discover_cases(folder, TASK)] == ["B-1"]


def test_the_folder_above_a_relative_root_is_relative(tmp_path, monkeypatch):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz")
    monkeypatch.chdir(tmp_path / "B-1")
    assert locate_cohort_folder(Path(), TASK)[0] == Path("..")
    monkeypatch.chdir(tmp_path)
    assert locate_cohort_folder(Path("B-1"), TASK)[0] == Path()


def test_a_case_can_be_restored_from_json(tmp_path):
    write_empty_files(tmp_path, "Bé 1/Bé 1-t1n.nii.gz", "Bé 1/Bé 1-t1n.nii")
    (case,) = discover_cases(tmp_path, TASK)
    assert case_from_json(case_to_json(case)) == case
    assert "\n" not in case_to_json(case)


def test_a_case_folder_in_a_folder_of_the_same_name_is_found(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1/B-1-t1n.nii.gz", "B-2/B-2-t1n.nii.gz")
    assert [case.files for case in discover_cases(tmp_path, TASK)] == [
        {"t1": ("B-1/B-1/B-1-t1n.nii.gz",)},
        {"t1": ("B-2/B-2-t1n.nii.gz",)},
    ]
    assert locate_cohort_folder(tmp_path, TASK) == (tmp_path, None)


@pytest.mark.parametrize("target", ["BraTS-GLI-00002-000", "nowhere"])
def test_a_broken_link_in_place_of_a_case_folder_is_an_unreadable_case(tmp_path, target):
    write_empty_files(tmp_path, "BraTS-GLI-00001-000/BraTS-GLI-00001-000-t1n.nii.gz")
    (tmp_path / "BraTS-GLI-00002-000").symlink_to(target)
    linked = discover_cases(tmp_path, TASK)[1]
    assert linked == CaseFiles("BraTS-GLI-00002-000", {}, "BraTS-GLI-00002-000")
    (problem,) = check_case(tmp_path, linked, shape=None, labels="auto").problems
    assert (problem.code, problem.file) == ("unreadable", "BraTS-GLI-00002-000")


def test_a_circular_link_is_not_a_folder(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz")
    for folder in (tmp_path, tmp_path / "B-1"):
        (folder / "loop").symlink_to("loop")
    assert [case.files for case in discover_cases(tmp_path, TASK)] == [{"t1": ("B-1/B-1-t1n.nii.gz",)}]


@pytest.mark.parametrize(
    ("name", "case"), [("case {x}", "case {x}"), ("tab\there", r"tab\x09here"), (b"F\xe4lle", r"F\xe4lle")]
)
def test_a_case_folder_with_an_unusable_name_is_a_case_without_files(tmp_path, name, case):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz")
    awkward = tmp_path / os.fsdecode(name)
    awkward.mkdir()
    (awkward / f"{os.fsdecode(name)}-t1n.nii.gz").touch()
    first, second = discover_cases(tmp_path, TASK)
    assert (first.case, second) == ("B-1", CaseFiles(case, {}, os.fsdecode(name)))
    assert case_from_json(case_to_json(second)) == second
    (problem,) = check_case(tmp_path, second, shape=None, labels="auto").problems
    assert (problem.code, problem.file) == ("awkward_name", case)
    assert "rename the folder" in problem.message
    problem.message.encode()


def test_unusable_names_with_equal_printable_forms_get_a_number(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz", r"a\x07/a-t1n.nii.gz", "a\x07/x")
    assert [case.case for case in discover_cases(tmp_path, TASK)] == ["B-1", r"a\x07", r"a\x07 (2)"]


def test_a_root_with_only_unusable_names_is_refused(tmp_path):
    write_empty_files(tmp_path, "a{b}/a{b}-t1n.nii.gz", "c\x07/c-t1n.nii.gz")
    with pytest.raises(UserError, match=r"no image was found .* cannot be used: rename a\{b\}, c\\x07"):
        discover_cases(tmp_path, TASK)


def test_the_error_lists_the_files_that_are_not_understood(tmp_path):
    write_empty_files(
        tmp_path, "patient 3/one.nii.gz", "patient 3/four.nii.gz", "patient 3/notes.txt", "patient 3/anat/x.nii"
    )
    message = "found, but not understood: patient 3/anat/, patient 3/four.nii.gz, patient 3/one.nii.gz; it should be"
    with pytest.raises(UserError, match=message):
        discover_cases(tmp_path, TASK)


def test_a_link_to_the_data_folder_is_reported(tmp_path):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz")
    (tmp_path / "itself").symlink_to(tmp_path)
    problems = [
        check_case(tmp_path, case, shape=None, labels="auto").problems[0] for case in discover_cases(tmp_path, TASK)
    ]
    assert [problem.code for problem in problems] == ["empty_file", "folder_of_cases"]
    assert f"a link to {tmp_path}, a folder of cases (B-1)" in problems[1].message


def test_the_folder_above_is_found_for_a_root_of_dots(tmp_path, monkeypatch):
    write_empty_files(tmp_path, "B-1/B-1-t1n.nii.gz", "B-1/inner/x")
    monkeypatch.chdir(tmp_path / "B-1/inner")
    assert locate_cohort_folder(Path(".."), TASK)[0].resolve() == tmp_path
