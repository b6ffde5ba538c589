"""Patients below a folder, from names and first bytes."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.case_files import write_empty_files
from tests.support.dicom import T1, T2, write_series
from tumorseg.errors import UserError
from tumorseg.preparation.patient_source import PatientSource, source_from_json, source_to_json
from tumorseg.preparation.patient_sources import find_patients

TINY = np.ones((2, 2, 2), np.int16)


def series(folder, patient, date="20200102", header=T1):
    write_series(folder, TINY, np.eye(4), replace(header, patient_id=patient, study_date=date))


def found(root):
    return [(source.case, source.kind, source.folder, source.patient) for source in find_patients(root)]


def test_a_source_is_read_as_it_was_written():
    source = PatientSource("P1", "nifti", "P1", ("t1.nii.gz",), {"t1": "a.nii"}, "P", "2020-01-02", True, "ab")
    assert source_from_json(source_to_json(source)) == source


def test_each_folder_is_a_patient_at_any_depth(tmp_path):
    series(tmp_path / "A/study/1", "A")
    series(tmp_path / "A/study/2", "A", header=T2)
    series(tmp_path / "B", "B")
    write_empty_files(tmp_path, "C/any name.nii.gz")
    assert found(tmp_path) == [
        ("A", "dicom", "A/study", None),
        ("B", "dicom", "B", None),
        ("C", "nifti", "C", None),
    ]


def test_nifti_files_are_listed(tmp_path):
    write_empty_files(tmp_path, "P1/T1 post.nii", "P1/more/flair.nii.gz", "P1/notes.txt", "P1/._t1.nii")
    assert find_patients(tmp_path)[0].files == ("T1 post.nii", "more/flair.nii.gz")


def test_dicom_without_ending_is_found(tmp_path):
    series(tmp_path / "P1", "A")
    for number, path in enumerate(sorted((tmp_path / "P1").iterdir())):
        path.rename(path.with_name(f"IM{number}"))
    write_empty_files(tmp_path, "P1/LICENSE", "P1/DICOMDIR")
    assert found(tmp_path) == [("P1", "dicom", "P1", None)]


def test_series_folders_of_one_study_are_one_patient(tmp_path):
    series(tmp_path / "P1/T1", "A")
    series(tmp_path / "P1/T2", "A", header=T2)
    notes = []
    (source,) = find_patients(tmp_path / "P1", note=notes.append)
    assert (source.case, source.folder) == ("P1", "")
    assert "the folder of one patient" in notes[0]


def test_folders_with_several_series_of_one_study_are_patients(tmp_path):
    for case in ("P1", "P2"):
        for header in (T1, T2):
            series(tmp_path / case, "A", header=header)
    assert [case for case, *_ in found(tmp_path)] == ["P1", "P2"]


def test_studies_in_their_own_folders_are_visits(tmp_path):
    series(tmp_path / "P1/before", "A", "20200102")
    series(tmp_path / "P1/after", "A", "20210304")
    series(tmp_path / "P2", "B")
    assert found(tmp_path) == [
        ("P1_after", "dicom", "P1/after", "P1"),
        ("P1_before", "dicom", "P1/before", "P1"),
        ("P2", "dicom", "P2", None),
    ]


def test_patients_in_groups_are_no_visits(tmp_path):
    series(tmp_path / "group/P1", "A")
    series(tmp_path / "group/P2", "B")
    write_empty_files(tmp_path, *(f"other/{case}/{name}.nii.gz" for case in ("P3", "P4") for name in ("t1", "flair")))
    assert [(case, patient) for case, _, _, patient in found(tmp_path)] == [
        ("group_P1", None),
        ("group_P2", None),
        ("other_P3", None),
        ("other_P4", None),
    ]


def test_folders_of_sequences_are_one_patient(tmp_path):
    write_empty_files(tmp_path, "P1/T1/a.nii.gz", "P1/FLAIR/a.nii.gz")
    assert found(tmp_path) == [("P1", "nifti", "P1", None)]


def test_visits_of_nifti_files_are_known_by_their_names(tmp_path):
    write_empty_files(tmp_path, "P1/baseline/a.nii.gz", "P1/week-012/a.nii.gz")
    assert [(case, patient) for case, _, _, patient in found(tmp_path)] == [
        ("P1_baseline", "P1"),
        ("P1_week-012", "P1"),
    ]


def test_loose_files_of_one_patient(tmp_path):
    write_empty_files(tmp_path, "P7/t1.nii.gz", "P7/T1_post.nii.gz")
    assert found(tmp_path / "P7") == [("P7", "nifti", "", None)]


def test_loose_files_of_several_patients(tmp_path):
    write_empty_files(tmp_path, *(f"{case}_{name}.nii.gz" for case in ("P1", "P2") for name in ("ax_t1", "T2_FLAIR")))
    sources = find_patients(tmp_path)
    assert [source.case for source in sources] == ["P1", "P2"]
    assert sources[0].files == ("P1_T2_FLAIR.nii.gz", "P1_ax_t1.nii.gz")


def test_empty_folders_and_archives_are_patients_without_images(tmp_path):
    write_empty_files(tmp_path, "P1/t1.nii.gz", "P2.zip", "P3/scan.zip")
    (tmp_path / "P4").mkdir()
    assert [(source.case, source.kind, source.files) for source in find_patients(tmp_path)] == [
        ("P1", "nifti", ("t1.nii.gz",)),
        ("P2", "none", ("P2.zip",)),
        ("P3", "none", ("scan.zip",)),
        ("P4", "none", ()),
    ]


def test_names_become_safe_and_unique(tmp_path):
    write_empty_files(tmp_path, "a{b}/t1.nii.gz", "a_b_/t1.nii.gz", "-x/t1.nii.gz", "Ärztin 1/t1.nii.gz")
    assert [source.case for source in find_patients(tmp_path)] == ["a_b_", "a_b__2", "x", "Ärztin 1"]


def test_another_file_changes_the_listing(tmp_path):
    write_empty_files(tmp_path, "P1/t1.nii.gz")
    before = find_patients(tmp_path)[0].listing
    write_empty_files(tmp_path, "P1/t2.nii.gz")
    assert find_patients(tmp_path)[0].listing != before


def test_a_circular_link_ends(tmp_path):
    write_empty_files(tmp_path, "P1/t1.nii.gz")
    (tmp_path / "P1/again").symlink_to(tmp_path / "P1")
    assert found(tmp_path) == [("P1", "nifti", "P1", None)]


@pytest.mark.parametrize(("files", "words"), [((), "no image"), (("P1/all.zip",), "extract them")])
def test_a_folder_without_any_image_is_refused(tmp_path, files, words):
    write_empty_files(tmp_path, *files)
    with pytest.raises(UserError, match=words):
        find_patients(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"^segment.cases: cannot list"):
        find_patients(tmp_path / "missing")
