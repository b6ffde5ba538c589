"""Data sets in BIDS."""

import pytest

from tests.support.case_files import TASK, write_empty_files
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.errors import UserError

SUFFIXES = {"t1": "T1w", "t1ce": "ce-gd_T1w", "t2": "T2w", "flair": "FLAIR"}


def subject(root, name="sub-001", session=None, *, anat="anat", mask="dseg", ce="ce-gd_T1w", ending=".nii.gz"):
    place = "/".join(filter(None, [name, session, anat]))
    stem = f"{name}_{session}" if session and session.startswith("ses-") else name
    suffixes = SUFFIXES | {"t1ce": ce} | ({"seg": mask} if mask else {})
    return write_empty_files(root, *(f"{place}/{stem}_{suffix}{ending}" for suffix in suffixes.values()))


@pytest.mark.parametrize("ce", ["ce-gd_T1w", "ce-GADOLINIUM_T1w", "ce-gadavist_run-1_T1w"])
@pytest.mark.parametrize("anat", ["anat", ""])
def test_a_subject_is_a_case(tmp_path, anat, ce):
    subject(tmp_path, anat=anat, ce=ce, mask="label-tumor_dseg")
    (case,) = discover_cases(tmp_path, TASK)
    assert (case.case, case.patient) == ("sub-001", "sub-001")
    assert case.files["t1ce"][0].endswith(f"sub-001_{ce}.nii.gz")
    assert case.files["t1"][0].endswith("sub-001_T1w.nii.gz")
    assert sorted(case.files) == ["flair", "seg", "t1", "t1ce", "t2"]


@pytest.mark.parametrize(("first", "second"), [("ses-01", "ses-02"), ("01", "02")])
def test_each_session_is_a_case_of_the_subject(tmp_path, first, second):
    subject(subject(tmp_path, session=first), session=second)
    cases = discover_cases(tmp_path, TASK)
    assert [(case.case, case.patient) for case in cases] == [
        (f"sub-001_{first}", "sub-001"),
        (f"sub-001_{second}", "sub-001"),
    ]
    assert all(len(case.files) == 5 for case in cases)


def test_sessions_in_one_folder_are_distinguished_by_file_names(tmp_path):
    for session in ("ses-1", "ses-2"):
        write_empty_files(
            tmp_path, *(f"sub-01/anat/sub-01_{session}_{suffix}.nii" for suffix in [*SUFFIXES.values(), "dseg"])
        )
    assert [(case.case, len(case.files)) for case in discover_cases(tmp_path, TASK)] == [
        ("sub-01_ses-1", 5),
        ("sub-01_ses-2", 5),
    ]


@pytest.mark.parametrize("pipeline", ["derivatives", "derivatives/manual"])
@pytest.mark.parametrize("suffix", ["dseg", "mask", "label-lesion_mask"])
def test_masks_below_derivatives_are_found(tmp_path, pipeline, suffix):
    subject(tmp_path, session="ses-01", mask=None)
    path = f"{pipeline}/sub-001/ses-01/anat/sub-001_ses-01_space-orig_{suffix}.nii.gz"
    write_empty_files(tmp_path, path, f"{pipeline}/sub-001/ses-01/anat/sub-001_ses-01_desc-brain_mask.nii.gz")
    (case,) = discover_cases(tmp_path, TASK)
    assert case.files["seg"] == (path,)


def test_a_label_mask_takes_precedence_over_a_region_mask(tmp_path):
    subject(tmp_path)
    write_empty_files(tmp_path, "sub-001/anat/sub-001_desc-tumor_mask.nii.gz")
    assert discover_cases(tmp_path, TASK)[0].files["seg"] == ("sub-001/anat/sub-001_dseg.nii.gz",)


def test_two_runs_are_two_files_of_one_channel(tmp_path):
    write_empty_files(subject(tmp_path), "sub-001/anat/sub-001_run-2_T2w.nii.gz")
    assert len(discover_cases(tmp_path, TASK)[0].files["t2"]) == 2


def test_a_subject_without_images_is_a_case_without_files(tmp_path):
    write_empty_files(
        subject(tmp_path), "sub-002/anat/sub-002_T1w.json", "dataset_description.json", "participants.tsv"
    )
    assert [(case.case, len(case.files)) for case in discover_cases(tmp_path, TASK)] == [("sub-001", 5), ("sub-002", 0)]


def test_subjects_with_brats_names_are_case_folders(tmp_path):
    write_empty_files(tmp_path, *(f"sub-01/sub-01_{role}.nii.gz" for role in ("t1", "t1ce", "t2", "flair", "seg")))
    (case,) = discover_cases(tmp_path, TASK)
    assert (case.folder, case.patient, len(case.files)) == ("sub-01", None, 5)


def test_a_data_set_one_level_deeper_is_found(tmp_path):
    subject(tmp_path / "ds001")
    assert locate_cohort_folder(tmp_path, TASK)[0] == tmp_path / "ds001"
    assert locate_cohort_folder(tmp_path / "ds001", TASK) == (tmp_path / "ds001", None)


def test_case_folders_beside_subjects_are_mixed_layouts(tmp_path):
    write_empty_files(subject(tmp_path), *(f"B1/B1_{role}.nii.gz" for role in ("t1", "t1ce", "t2", "flair", "seg")))
    with pytest.raises(UserError, match="mixes layouts: subjects of BIDS, and B1"):
        discover_cases(tmp_path, TASK)
