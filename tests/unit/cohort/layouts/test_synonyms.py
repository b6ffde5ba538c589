"""Well-known file names that a task does not list: used if unambiguous and if no listed name is there."""

import pytest

from tests.support.case_files import TASK, write_empty_files
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.cohort.folder_contents import unrecognised_files
from tumorseg.task import load_task

OWN = [f"B01/B01_{role}.nii.gz" for role in ("t1", "t1ce", "t2", "flair", "seg")]


def only(root, task=TASK):
    folder, _ = locate_cohort_folder(root, task)
    (case,) = discover_cases(folder, task)
    return case


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("B01_T1GD", "t1ce"),
        ("B01_T1_Gd", "t1ce"),
        ("B01_t1-post", "t1ce"),
        ("B01_ce-gd_T1w", "t1ce"),
        ("B01_ce_T1w", "t1ce"),
        ("B01_T1w", "t1"),
        ("B01_T2_FLAIR", "flair"),
        ("B01_fla", "flair"),
        ("B01_2001.01.31_segm", None),
        ("B01_segm", "seg"),
        ("B01_tumor_segmentation", "seg"),
        ("B01_GlistrBoost_ManuallyCorrected", "seg"),
        ("B01_GlistrBoost", None),
        ("B01_brain_segmentation", None),
        ("B01_T1c_bias", None),
        ("B01_mask", None),
    ],
)
def test_an_unambiguous_suffix_gives_the_role(tmp_path, name, role):
    own = [path for path in OWN if role is None or f"B01_{role}." not in path]
    write_empty_files(tmp_path, *own, f"B01/{name}.nii.gz")
    case = only(tmp_path)
    assert case.files.get(role or "seg") == (f"B01/{name if role else 'B01_seg'}.nii.gz",)
    assert unrecognised_files(tmp_path, case) == ([] if role else [f"{name}.nii.gz"])


@pytest.mark.parametrize("name", ["B01_T1GD", "t1ce", "seg", "W39_1998.09.19_Segm"])
def test_a_name_that_the_task_lists_takes_precedence(tmp_path, name):
    write_empty_files(tmp_path, *OWN, f"B01/{name}.nii.gz")
    case = only(tmp_path)
    assert sorted(case.paths()) == sorted(OWN)
    assert unrecognised_files(tmp_path, case) == [f"{name}.nii.gz"]


@pytest.mark.parametrize("t1ce", ["t1ce", "T1GD"])
@pytest.mark.parametrize("others", [("t2", "flair"), ("t2", "flair", "seg")])
@pytest.mark.parametrize("folder", ["P1_post/", ""])
def test_a_word_of_the_case_is_no_contrast_agent(tmp_path, folder, others, t1ce):
    names = {"t1": "t1", "t1ce": t1ce, **{name: name for name in others}}
    write_empty_files(tmp_path, *(f"{folder}P1_post_{name}.nii.gz" for name in names.values()))
    (case,) = discover_cases(tmp_path, TASK)
    assert case.case == "P1_post"
    assert case.files == {role: (f"{folder}P1_post_{name}.nii.gz",) for role, name in names.items()}


def test_a_word_of_the_case_is_no_contrast_agent_beside_a_file_without_it(tmp_path):
    write_empty_files(tmp_path, *(f"P/{name}.nii.gz" for name in ("post_t1", "post_t1ce", "post_t2", "seg")))
    (case,) = discover_cases(tmp_path, TASK)
    assert (case.files["t1"], case.files["t1ce"]) == (("P/post_t1.nii.gz",), ("P/post_t1ce.nii.gz",))


@pytest.mark.parametrize("t1", ["pre_t1", "t1"])
@pytest.mark.parametrize("others", [("t2", "flair"), ("post_t2", "post_flair")])
def test_a_word_of_the_image_means_contrast_agent(tmp_path, t1, others):
    write_empty_files(tmp_path, *(f"P/{name}.nii.gz" for name in (t1, "post_t1", *others)))
    if t1 == "t1":
        assert only(tmp_path).files["t1ce"] == ("P/post_t1.nii.gz",)
    else:
        assert not any("P/post_t1.nii.gz" in case.files.get("t1", ()) for case in discover_cases(tmp_path, TASK))


@pytest.mark.parametrize("folders", [("P 1", "P 2"), ("HGG/P1", "LGG/P2"), ("P1/2001-01-31", "P1/2002-01-31")])
def test_files_without_a_case_name_belong_to_their_folder(tmp_path, folders):
    for folder in folders:
        write_empty_files(tmp_path, *(f"{folder}/{name}.nii.gz" for name in ("T1", "t1gd", "t2", "fla", "seg")))
    first, _ = discover_cases(tmp_path, TASK)
    assert first.files["flair"] == (f"{folders[0]}/fla.nii.gz",)
    assert first.case in (folders[0], "P1", "P1_2001-01-31")
    assert len(first.files) == 5


def test_the_root_may_be_the_folder_of_a_case_that_its_files_do_not_name(tmp_path):
    write_empty_files(tmp_path, *(f"P 1/{name}.nii.gz" for name in ("t1", "t1c", "t2", "flair")))
    assert only(tmp_path / "P 1").case == "P 1"


def test_a_single_mask_of_another_name_belongs_to_its_folder(tmp_path):
    write_empty_files(
        tmp_path, *(path.replace("B01/", "my case/") for path in OWN[:-1]), "my case/W39_1998.09.19_Segm.nii"
    )
    assert only(tmp_path).files["seg"] == ("my case/W39_1998.09.19_Segm.nii",)


def test_a_file_without_a_case_in_a_flat_folder_is_reported_and_not_used(tmp_path):
    for case in ("B01", "B02"):
        write_empty_files(
            tmp_path, *(f"{case}_{role}.nii.gz" for role in ("t1", "t1ce", "t2", "flair", "seg")), "t1.nii.gz"
        )
    notes = []
    assert len(discover_cases(tmp_path, TASK, note=notes.append)) == 2
    assert "not used: t1.nii.gz" in notes[0]


def test_names_of_other_channels_are_unknown(tmp_path):
    task = load_task("brats-meningioma-radiotherapy")
    write_empty_files(tmp_path, "B01/B01_t1c.nii.gz", "B01/B01_gtv.nii.gz", "B01/B01_fla.nii.gz", "B01/t2.nii.gz")
    case = only(tmp_path, task)
    assert sorted(case.files) == ["seg", "t1ce"]
    assert unrecognised_files(tmp_path, case) == ["B01_fla.nii.gz", "t2.nii.gz"]
