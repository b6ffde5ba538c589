"""The step that finds the brain of a patient."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import raw_patient
from tests.unit.cohort.test_skull_stripping import brain
from tumorseg.cohort.validation_result import Issue
from tumorseg.io.files import CorruptedFileError
from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.brain_step import write_brain_mask
from tumorseg.preparation.step_record import StepRecord, read_step_record, write_step_record
from tumorseg.task import load_task

TASK = load_task()
SPACING = np.diag([-3.0, -3.0, 3.0, 1.0])


def write_patient(folder, voxels, affine=SPACING, *, problems=()):
    """Write what the earlier steps write of a patient who has T1CE alone, and return the record of the registration."""
    if voxels is not None:
        write_nifti(folder / "images/t1ce.nii.gz", voxels, affine)
    write_step_record(folder / "images/record.json", StepRecord("P1", "convert", problems))
    absent = folder / "coregistered/t1.json"
    write_step_record(absent, StepRecord("P1", "coregister", facts={"channel": "t1", "absent": True}))
    record = folder / "coregistered/t1ce.json"
    facts = {"channel": "t1ce", "reference": "t1ce", "matrix": np.eye(4).tolist()}
    write_step_record(record, StepRecord("P1", "coregister", facts=facts))
    return [absent, record]


def find_brain(folder, voxels, affine=SPACING, **options):
    """Return the record of the step and the voxels of its mask, None if it wrote none."""
    coregistered = write_patient(folder, voxels, affine, **options)
    record = write_brain_mask(folder / "images", coregistered, folder / "brain", task=TASK, threads=1)
    assert read_step_record(folder / "brain/record.json") == record
    mask = folder / "brain/mask.nii.gz"
    return record, nibabel.load(mask) if mask.exists() else None


def test_an_image_of_the_brain_alone_keeps_its_outline_without_holes(tmp_path):
    voxels = brain().astype(np.int16)
    hollow = voxels.copy()
    hollow[28:34, 32:38, 27:32] = 0
    record, mask = find_brain(tmp_path, hollow)
    outline = np.asarray(mask.dataobj) > 0
    assert record.succeeded
    assert [warning.code for warning in record.warnings] == ["brain_extracted_before"]
    assert record.facts["method"] == "outline of the image"
    assert outline[hollow != 0].all()
    assert outline[28:34, 32:38, 27:32].all()
    assert np.count_nonzero(outline) < 1.1 * np.count_nonzero(voxels)


def test_the_mask_lies_on_the_grid_of_the_reference_image(tmp_path):
    affine = SPACING.copy()
    affine[:3, 3] = 70, 80, -60
    _, mask = find_brain(tmp_path, brain().astype(np.int16), affine)
    assert mask.shape == brain().shape
    assert np.allclose(mask.affine, affine)
    assert mask.get_data_dtype() == np.uint8


def test_an_image_without_content_has_no_brain(tmp_path):
    record, mask = find_brain(tmp_path, np.full((64, 64, 48), 7, np.int16))
    assert [problem.code for problem in record.problems] == ["no_brain"]
    assert mask is None


def test_a_brain_of_impossible_size_is_refused(tmp_path):
    record, mask = find_brain(tmp_path, brain().astype(np.int16), np.diag([0.9, 0.9, 0.9, 1]))
    assert [problem.code for problem in record.problems] == ["brain_extraction_failed"]
    assert mask is None


def test_an_earlier_failure_is_passed_on(tmp_path):
    failure = Issue("no_images", "P1", "the folder has no image")
    record, mask = find_brain(tmp_path, None, problems=(failure,))
    assert record.problems == (failure,)
    assert record.step == "extract_brain"
    assert mask is None


def test_a_corrupted_image_of_the_workflow_stops_the_job(tmp_path):
    coregistered = write_patient(tmp_path, brain().astype(np.int16))
    (tmp_path / "images/t1ce.nii.gz").write_bytes(b"half")
    with pytest.raises(CorruptedFileError, match=r"t1ce\.nii\.gz.*delete .*images"):
        write_brain_mask(tmp_path / "images", coregistered, tmp_path / "brain", task=TASK, threads=1)


def test_the_brain_of_a_raw_scan_is_that_of_another_tool(tmp_path):
    raw = raw_patient()
    image, other = (nibabel.load(raw / name) for name in ("t1c.nii.gz", "brain_mask_of_t1c_by_another_tool.nii.gz"))
    record, mask = find_brain(tmp_path, np.asarray(image.dataobj), image.affine)
    found, expected = (np.asarray(volume.dataobj) > 0 for volume in (mask, other))
    assert record.facts["method"] == "deepbet"
    assert record.warnings == ()
    assert 2 * np.count_nonzero(found & expected) / (found.sum() + expected.sum()) > 0.96
