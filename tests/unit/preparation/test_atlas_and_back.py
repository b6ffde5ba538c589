"""The steps coregister, to_atlas and to_native, on a small patient whose true transforms are known."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.support.heads import errors_mm, moved, other_contrast, rigid, small_atlas
from tumorseg import load_task
from tumorseg.cohort.validation_result import Issue
from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.coregistration import coregister
from tumorseg.preparation.prepared_files import PatientFiles
from tumorseg.preparation.sampling import Image, inverse
from tumorseg.preparation.step_record import StepRecord, write_step_record
from tumorseg.preparation.to_atlas import write_atlas_images
from tumorseg.preparation.to_native import write_native_masks
from tumorseg.segmentation.results import write_record

TASK = load_task()
TO_T1CE = rigid(6, (5, -4, 8))
TO_T2 = rigid(8, (-6, 3, 9), axis=(3, 1, 1))


@pytest.fixture(scope="module")
def patient(tmp_path_factory) -> Path:
    """Return a folder with the images and the brain mask of a patient with T1CE and T2, of different grids."""
    root = tmp_path_factory.mktemp("patient")
    brain = small_atlas().image
    t1ce = moved(brain, TO_T1CE, (3, 3, 3))
    write_nifti(root / "images/t1ce.nii.gz", t1ce.array, t1ce.affine)
    write_nifti(root / "brain/mask.nii.gz", (t1ce.array > 20).astype(np.uint8), t1ce.affine)
    t2 = moved(other_contrast(brain), TO_T2, (2, 2, 6))
    file = nibabel.Nifti1Image(t2.array, t2.affine)
    file.set_qform(t2.affine, code=1)
    file.set_sform(t2.affine, code=2)
    file.to_filename(root / "images/t2.nii.gz")
    channels = {channel: {"kind": "nifti", "label": channel, "files": []} for channel in ("t1ce", "t2")}
    write_step_record(root / "images/record.json", StepRecord("P1", "convert", facts={"channels": channels}))
    write_step_record(root / "brain/record.json", StepRecord("P1", "extract_brain"))
    write_record(root / "masks", [], {"models": [], "task": TASK.to_json(), "convention": None})
    return root


@pytest.fixture(scope="module")
def records(patient) -> tuple[StepRecord, ...]:
    return tuple(coregister(patient / "images", channel, TASK) for channel in TASK.channel_names)


@pytest.fixture(scope="module")
def prepared(patient, records) -> StepRecord:
    return write_atlas_images(
        PatientFiles("P1", patient / "images", records),
        patient / "brain",
        patient / "atlas",
        atlas=small_atlas(),
        task=TASK,
        threads=2,
    )


def test_each_channel_has_the_matrix_from_the_reference(records):
    t1, t1ce, t2, flair = (record.facts for record in records)
    assert t1["absent"]
    assert flair["absent"]
    assert t1ce["matrix"] == np.eye(4).tolist()
    assert t2["reference"] == "t1ce"
    assert not records[2].problems
    assert np.median(errors_mm(np.array(t2["matrix"]) @ TO_T1CE, TO_T2)) < 1.5


def test_the_images_lie_over_the_atlas_without_anything_around_the_brain(patient, prepared):
    assert prepared.succeeded
    assert np.median(errors_mm(np.array(prepared.facts["matrix"]), TO_T1CE)) < 1.5
    atlas = small_atlas()
    for channel in ("t1ce", "t2"):
        image = nibabel.load(patient / f"atlas/P1-{channel}.nii.gz")
        assert image.shape == atlas.image.shape
        voxels = image.get_fdata()
        assert (voxels > 0)[atlas.brain].mean() > 0.95
        assert (voxels[~atlas.brain] > 0).mean() < 0.02
    assert not (patient / "atlas/P1-t1.nii.gz").exists()


@pytest.mark.usefixtures("prepared")
def test_a_mask_comes_back_to_the_grids_of_the_images(patient, records, tmp_path):
    atlas = small_atlas()
    mask = np.zeros(atlas.image.shape, np.uint8)
    mask[38:48, 30:42, 25:38] = 2
    write_nifti(patient / "masks/P1.nii.gz", mask, atlas.image.affine)
    files = PatientFiles("P1", patient / "images", records)
    record = write_native_masks(
        files, patient / "atlas", patient / "masks", tmp_path, sequences=["reference", "t2", "flair"], root=tmp_path
    )
    assert list(record.facts["masks"]) == ["t1ce", "t2"]
    for channel, true in (("t1ce", TO_T1CE), ("t2", TO_T2)):
        native = nibabel.load(patient / f"images/{channel}.nii.gz")
        found = nibabel.load(tmp_path / f"P1-{channel}-mask.nii.gz")
        assert found.get_data_dtype() == np.uint8
        assert found.shape == native.shape
        for field in ("qform_code", "sform_code", "quatern_b", "srow_x", "srow_z", "pixdim"):
            assert np.array_equal(found.header[field], native.header[field])
        centre = np.argwhere(found.get_fdata() == 2).mean(axis=0) @ native.affine[:3, :3].T + native.affine[:3, 3]
        expected = atlas.image.affine @ [42.5, 35.5, 31, 1]
        assert np.linalg.norm(inverse(true)[:3] @ [*centre, 1] - expected[:3]) < 2
        assert record.facts["masks"][channel]["2"] == pytest.approx(10 * 12 * 13 * 27 / 1000, rel=0.05)


@pytest.mark.usefixtures("prepared")
def test_a_patient_without_mask_has_a_record_that_says_so(patient, records, tmp_path):
    files = PatientFiles("P1", patient / "images", records)
    none = tmp_path / "none"
    record = write_native_masks(files, patient / "atlas", none, tmp_path, sequences=["reference"], root=tmp_path)
    assert record.facts["segmented"] is False
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_failure_of_an_earlier_step_is_passed_on(patient, records, tmp_path):
    problem = Issue("no_brain", "P1", "there is no brain")
    failed = replace(records[1], problems=(problem,))
    record = write_atlas_images(
        PatientFiles("P1", patient / "images", (failed,)),
        patient / "brain",
        tmp_path,
        atlas=small_atlas(),
        task=TASK,
        threads=1,
    )
    assert record.problems == (problem,)
    assert record.step == "to_atlas"
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_an_image_of_something_else_fails(patient, tmp_path):
    rng = np.random.default_rng(0)
    noise = Image(rng.random((40, 40, 40)).astype(np.float32), np.diag([3.0, 3.0, 3.0, 1.0]))
    t1ce = nibabel.load(patient / "images/t1ce.nii.gz")
    write_nifti(tmp_path / "t1ce.nii.gz", np.asarray(t1ce.dataobj), t1ce.affine)
    write_nifti(tmp_path / "t2.nii.gz", noise.array, noise.affine)
    write_step_record(tmp_path / "record.json", StepRecord("P1", "convert"))
    assert [issue.code for issue in coregister(tmp_path, "t2", TASK).problems] == ["registration_failed"]
