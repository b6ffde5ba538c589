"""The files of new patients and their names in the folder of all masks."""

import pytest

from tests.support.case_files import write_empty_files
from tumorseg.errors import UserError
from tumorseg.preparation.step_record import StepRecord, write_step_record
from tumorseg.segmentation.gathering import prepared_files, require_distinct, shard_files


def names(pairs):
    return {str(file.name): name for file, name in pairs}


def test_a_shard_is_copied_without_its_record_and_failed_cases(tmp_path):
    write_empty_files(tmp_path, "A.nii.gz", "A.png", "viewer/A.js", "B.nii.gz", "patients.json", ".snakemake_timestamp")
    assert [name for _, name in shard_files(tmp_path, ["B"])] == ["A.nii.gz", "A.png", "viewer/A.js"]


@pytest.fixture
def prepared(tmp_path):
    folder = tmp_path / "P1"
    write_empty_files(folder, "segmented/P1.nii.gz", "segmented/P1.png", "segmented/P1-probabilities.nii.gz")
    write_empty_files(folder, "native/P1-t1ce-mask.nii.gz", "native/P1-t1ce-mask.dcm", "native/P1-flair-mask.nii.gz")
    write_empty_files(folder, "native/P1-t1ce-probabilities.nii.gz")
    write_step_record(folder / "native/record.json", StepRecord("P1", "to_native", facts={"reference": "t1ce"}))
    return folder


def test_the_mask_on_the_reference_image_has_the_name_of_the_patient(prepared):
    found = names(prepared_files(prepared))
    assert found["P1-t1ce-mask.nii.gz"] == "P1.nii.gz"
    assert found["P1-t1ce-probabilities.nii.gz"] == "P1-probabilities.nii.gz"
    assert found["P1-t1ce-mask.dcm"] == "P1.dcm"
    assert found["P1-flair-mask.nii.gz"] == "P1-flair-mask.nii.gz"


def test_files_on_the_atlas_have_a_folder_of_their_own_and_no_name_is_used_twice(prepared):
    found = names(prepared_files(prepared))
    assert found["P1.nii.gz"] == "atlas/P1.nii.gz"
    assert found["P1-probabilities.nii.gz"] == "atlas/P1-probabilities.nii.gz"
    assert found["P1.png"] == "P1.png"
    assert len(set(found.values())) == len(found)


def test_two_files_of_one_name_are_refused():
    require_distinct(["A.nii.gz", "B.nii.gz"])
    with pytest.raises(UserError, match=r"two patients would both get the file a\.nii\.gz"):
        require_distinct(["A.nii.gz", "a.nii.gz"])
