"""The files of a source, with digests."""

import numpy as np

from tests.support.case_files import write_empty_files
from tests.support.dicom import T1, write_series
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.source_files import source_paths, source_records


def test_nifti_files_are_those_of_the_source(tmp_path):
    source = PatientSource("P1", "nifti", "P1", ("t1.nii", "more/t2.nii"))
    assert source_paths(tmp_path, source) == ["P1/t1.nii", "P1/more/t2.nii"]


def test_all_files_of_a_dicom_folder_count(tmp_path):
    write_empty_files(tmp_path, "P1/a/1.dcm", "P1/b/2", "P2/3.dcm")
    assert source_paths(tmp_path, PatientSource("P1", "dicom", "P1")) == ["P1/a/1.dcm", "P1/b/2"]


def test_a_sheet_names_files_and_folders(tmp_path):
    write_series(tmp_path / "series", np.ones((2, 2, 2), np.int16), np.eye(4), T1)
    write_empty_files(tmp_path, "t2.nii.gz")
    files = sorted(path.name for path in (tmp_path / "series").iterdir())
    in_folder = [f"series/{name}" for name in files]
    for cell in ("series", f"series/{files[0]}"):
        source = PatientSource("P1", "sheet", "", channels={"t1": cell, "t2": "t2.nii.gz", "flair": "missing"})
        assert source_paths(tmp_path, source) == [*in_folder, "t2.nii.gz", "missing"]


def test_records_have_size_and_digest_and_none_for_a_missing_file(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"abc")
    there, missing = source_records(tmp_path, PatientSource("P1", "nifti", "", ("a.nii", "b.nii")))
    assert (there["path"], there["bytes"]) == ("a.nii", 3)
    assert len(there["digest"]) == 32
    assert missing == {"path": "b.nii", "bytes": None, "digest": None}
