"""New patients as a hospital has them: from DICOM and NIfTI to masks on their own grids and on that of the atlas."""

import os
import shutil

import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import write_valid_case
from tests.support.dicom import VolumeOnGrid, convert_back, on_grid_of
from tests.support.new_patients import (
    HOSPITAL_NAMES,
    write_atlas,
    write_dicom_patient,
    write_hospital_patient,
    write_random_model,
)

pytestmark = pytest.mark.slow

SEGMENTED = ["P-dicom", "P-hospital", "P-ready"]
FAILED = {"P-empty": "no_images", "P-twice": "equal_images"}
ONE_PATIENT = {"convert", "coregister", "extract_brain", "to_atlas", "segment_prepared", "to_native"}


def configure(run: Workflow, **changes) -> None:
    segment = {"cases": "patients", "atlas": "atlas.nii.gz", "models": "model.safetensors", **changes}
    run.configure({"cohort": {"root": "nowhere"}, "demo": None, "segment": segment})


def new_run(folder) -> Workflow:
    """Return a run with an atlas and a model, without patients."""
    run = Workflow(folder)
    configure(run)
    write_atlas(run.folder / "atlas.nii.gz")
    write_random_model(run.folder / "model.safetensors")
    return run


def write_patient_with_two_t1ce(folder) -> None:
    write_hospital_patient(folder)
    shutil.copy(folder / "T1_post_gd.nii.gz", folder / "T1_gd.nii.gz")


@pytest.fixture(scope="module")
def prepared_run(tmp_path_factory):
    """A run with patients of all kinds, with masks on the grid of FLAIR, too. Do not change it; change a copy."""
    run = new_run(tmp_path_factory.mktemp("prepare") / "run")
    configure(run, mask_channels=["flair"])
    patients = run.folder / "patients"
    write_dicom_patient(patients / "P-dicom")
    write_hospital_patient(patients / "P-hospital")
    write_valid_case(patients, "P-ready")
    (patients / "P-empty").mkdir()
    write_patient_with_two_t1ce(patients / "P-twice")
    (run.folder / "output.txt").write_text(run.succeed("segment"))
    return run


def table(run: Workflow) -> pd.DataFrame:
    return pd.read_csv(run.results / "segmentations/volumes.tsv", sep="\t", index_col="case")


def series(run: Workflow, patient: str) -> pd.DataFrame:
    return pd.read_csv(run.results / f"prepared/{patient}/images/series.tsv", sep="\t", keep_default_na=False)


def has_grid_of(mask, image) -> bool:
    return mask.shape == image.shape and np.allclose(mask.affine, image.affine, atol=1e-4)


def test_who_can_be_segmented_is_and_the_others_are_named_with_their_problem(prepared_run):
    found = table(prepared_run)
    assert found.query("segmented").index.tolist() == SEGMENTED
    assert found.query("not segmented")["problems"].to_dict() == FAILED
    for patient, problem in FAILED.items():
        assert f"NOT segmented: {patient}: {problem}: " in (prepared_run.folder / "output.txt").read_text()


def test_masks_are_on_the_grid_of_t1ce_and_on_that_of_flair(prepared_run):
    for file, name in {"P-hospital.nii.gz": "T1_post_gd", "P-hospital-flair-mask.nii.gz": "T2-FLAIR"}.items():
        mask = nibabel.load(prepared_run.results / "segmentations" / file)
        assert has_grid_of(mask, nibabel.load(prepared_run.folder / f"patients/P-hospital/{name}.nii.gz"))
        assert np.asarray(mask.dataobj).any()


def test_masks_are_on_the_grid_of_the_atlas_too(prepared_run):
    for patient in ("P-dicom", "P-hospital"):
        mask = nibabel.load(prepared_run.results / f"segmentations/atlas/{patient}.nii.gz")
        assert has_grid_of(mask, nibabel.load(prepared_run.folder / "atlas.nii.gz"))
        assert np.asarray(mask.dataobj).any()


def test_the_dicom_segmentation_is_the_mask_and_refers_to_the_series(prepared_run, tmp_path):
    folder = prepared_run.results / "segmentations"
    source = pydicom.dcmread(next((prepared_run.folder / "patients/P-dicom/2").glob("*.dcm")))
    dataset = pydicom.dcmread(folder / "P-dicom.dcm")
    (referenced,) = dataset.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == source.SeriesInstanceUID
    assert dataset.PatientID == source.PatientID
    mask = nibabel.load(folder / "P-dicom.nii.gz")
    voxels = np.asarray(mask.dataobj)
    (image,) = convert_back(prepared_run.folder / "patients/P-dicom/2", tmp_path)
    on_grid_of(VolumeOnGrid(voxels, mask.affine), image)  # raises if the grids differ
    assert len(dataset.SegmentSequence) == np.count_nonzero(np.unique(voxels)) > 0
    assert np.count_nonzero(dataset.pixel_array) == np.count_nonzero(voxels)


def test_the_table_of_series_says_what_was_chosen(prepared_run):
    for patient in ("P-dicom", "P-hospital"):
        decisions = series(prepared_run, patient)["decision"]
        assert sorted(decision.split()[-1] for decision in decisions) == ["flair", "t1", "t1ce", "t2"]


def test_nobody_is_named_except_in_the_dicom_segmentation(prepared_run):
    files = [path for path in prepared_run.results.rglob("*") if path.is_file() and path.suffix != ".dcm"]
    assert len(files) > 50
    for secret in (b"SECRET-ID", b"Secret"):
        assert [path for path in files if secret in path.read_bytes()] == []


def test_a_finished_run_has_nothing_to_do(prepared_run):
    assert prepared_run.planned("segment") == {}


def test_a_changed_dicom_file_prepares_only_its_patient_again(prepared_run, tmp_path):
    run = prepared_run.copy(tmp_path / "run")
    path = sorted((run.folder / "patients/P-dicom/2").glob("*.dcm"))[10]
    path.touch()
    assert run.planned("segment") == {}
    times = path.stat()
    dataset = pydicom.dcmread(path)
    dataset.PixelData = bytes(reversed(dataset.PixelData))
    dataset.save_as(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    planned = run.planned("segment")
    assert planned.pop("segment") == 1
    assert planned == dict.fromkeys(ONE_PATIENT, 1) | {"coregister": 4}


def test_other_mask_channels_bring_only_the_masks_back_again(prepared_run, tmp_path):
    run = prepared_run.copy(tmp_path / "run")
    configure(run)
    assert run.planned("segment") == {"to_native": 4, "segment": 1}


def test_a_new_file_of_held_out_cases_beside_the_model_segments_all_patients_again(prepared_run, tmp_path):
    run = prepared_run.copy(tmp_path / "run")
    (run.folder / "model.reliability.json").write_text("{}")
    assert run.planned("segment") == {"segment_batch": 1, "segment_prepared": 4, "to_native": 4, "segment": 1}


def test_a_sample_sheet_names_the_images(tmp_path):
    run = new_run(tmp_path / "run")
    letters = dict(zip(HOSPITAL_NAMES, "abcd", strict=True))
    write_hospital_patient(run.folder / "images", letters)
    rows = [["case", *letters], ["P-9", *(f"images/{letter}.nii.gz" for letter in letters.values())]]
    (run.folder / "samples.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    configure(run, cases=None, samples="samples.tsv")
    run.succeed("segment")
    assert table(run)["segmented"].to_dict() == {"P-9": True}
    mask = nibabel.load(run.results / "segmentations/P-9.nii.gz")
    assert has_grid_of(mask, nibabel.load(run.folder / "images/b.nii.gz"))


def test_if_nothing_comes_out_the_run_fails_with_the_reasons(tmp_path):
    run = new_run(tmp_path / "run")
    write_patient_with_two_t1ce(run.folder / "patients/P-twice")
    completed = run.run("segment")
    assert completed.returncode != 0
    assert "NOT segmented: P-twice: equal_images: " in completed.stdout
    assert "Traceback" not in completed.stdout


def test_without_preparation_a_folder_without_prepared_images_is_refused(tmp_path):
    run = new_run(tmp_path / "run")
    write_dicom_patient(run.folder / "patients/P-dicom")
    configure(run, prepare="none")
    completed = run.run("segment", options=("--dry-run",))
    assert completed.returncode != 0
    assert "segment.cases: " in completed.stdout
    assert "Traceback" not in completed.stdout
