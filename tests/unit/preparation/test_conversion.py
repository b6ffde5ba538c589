"""Conversion of the selected images of a patient."""

import gzip
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest

from tests.support.dicom import FLAIR, T1, T1CE, T2, VolumeOnGrid, on_grid_of, write_series
from tumorseg.io.nifti import write_nifti
from tumorseg.io.tables import read_table
from tumorseg.preparation.conversion import convert_patient
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.patient_sources import find_patients
from tumorseg.preparation.step_record import read_step_record
from tumorseg.task import load_task

TASK = load_task()
SHAPE = (24, 20, 16)
AFFINE = np.diag([-8.0, 8.0, 8.0, 1.0])
OBLIQUE = np.array([[-7.7, 1.2, 1.3, 80], [1.3, 7.8, 1.1, -60], [-1.1, -1.3, 7.8, -50], [0, 0, 0, 1]])
Q, _ = np.linalg.qr(OBLIQUE[:3, :3])
OBLIQUE[:3, :3] = Q * -8.0


def noise(seed: int, shape=SHAPE):
    return np.random.default_rng(seed).integers(1, 1000, shape).astype(np.int16)


def convert_all(root, output, **changes):
    """Convert the only patient below `root` and return the record."""
    (source,) = find_patients(root)
    return convert_patient(root, replace(source, **changes), TASK, output)


def write_four(folder, affine=AFFINE, **changes):
    for seed, header in enumerate((T1, T1CE, T2, FLAIR)):
        write_series(folder / str(header.number), noise(seed), affine, replace(header, **changes))


def codes(issues):
    return [issue.code for issue in issues]


@pytest.mark.parametrize("affine", [AFFINE, np.diag([-8.0, -8.0, 8.0, 1.0]), OBLIQUE])
def test_dicom_becomes_the_volume_that_it_was_made_from(tmp_path, affine):
    write_four(tmp_path / "in/P1", affine)
    record = convert_all(tmp_path / "in", tmp_path / "out")
    assert (record.problems, record.warnings) == ((), ())
    for seed, channel in enumerate(("t1", "t1ce", "t2", "flair")):
        image = nibabel.load(tmp_path / f"out/{channel}.nii.gz")
        converted = VolumeOnGrid(np.asarray(image.dataobj), image.affine)
        np.testing.assert_array_equal(on_grid_of(VolumeOnGrid(noise(seed), affine), converted), noise(seed))


@pytest.mark.parametrize("affine", [AFFINE, np.diag([-8.0, -8.0, 8.0, 1.0]), OBLIQUE])
def test_files_are_in_the_order_of_the_third_axis(tmp_path, affine):
    write_four(tmp_path / "in/P1", affine)
    record = convert_all(tmp_path / "in", tmp_path / "out")
    voxels = np.asarray(nibabel.load(tmp_path / "out/t1.nii.gz").dataobj)
    for index, file in enumerate(record.facts["channels"]["t1"]["files"]):
        pixels = pydicom.dcmread(tmp_path / "in" / file).pixel_array
        np.testing.assert_array_equal(np.sort(pixels, axis=None), np.sort(voxels[:, :, index], axis=None))


def test_the_record_has_the_facts_of_the_images_and_no_patient(tmp_path):
    write_four(tmp_path / "in/P1", patient_id="SECRET-7")
    convert_all(tmp_path / "in", tmp_path / "out")
    record = read_step_record(tmp_path / "out/record.json")
    facts = record.facts["channels"]["t1ce"]
    assert (record.facts["kind"], record.facts["study_date"]) == ("dicom", "2020-01-02")
    assert (facts["kind"], facts["label"], facts["slices"]) == ("dicom", "series 2 (t1_tse_ax_post_gd)", 16)
    assert (facts["shape"], facts["spacing_mm"]) == ([24, 20, 16], [8.0, 8.0, 8.0])
    assert set(record.facts) == {"channels", "kind", "patient", "source_files", "study_date"}
    assert "SECRET" not in (tmp_path / "out/record.json").read_text() + (tmp_path / "out/series.tsv").read_text()


def test_the_converted_image_has_no_text_of_the_header(tmp_path):
    secrets = {"PatientName": "DOE^JANE", "PatientID": "SECRET-7", "ImageComments": "DOE^JANE", "StudyID": "SECRET-7"}
    write_series(tmp_path / "in/P1", noise(0), AFFINE, replace(T1, other={**secrets, "AccessionNumber": "SECRET-7"}))
    convert_all(tmp_path / "in", tmp_path / "out")
    content = gzip.decompress((tmp_path / "out/t1.nii.gz").read_bytes())
    assert len(content) > 352
    assert b"SECRET" not in content
    assert b"JANE" not in content


def test_equal_input_gives_equal_bytes(tmp_path):
    write_four(tmp_path / "in/P1")
    for name in ("one", "two"):
        convert_all(tmp_path / "in", tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_compressed_nifti_file_is_copied_and_a_plain_one_compressed(tmp_path):
    write_nifti(tmp_path / "in/P1/t1.nii.gz", noise(1), AFFINE)
    (tmp_path / "in/P1/T2.nii").write_bytes(nibabel.Nifti1Image(noise(2), AFFINE).to_bytes())
    record = convert_all(tmp_path / "in", tmp_path / "out")
    assert record.succeeded
    assert (tmp_path / "out/t1.nii.gz").read_bytes() == (tmp_path / "in/P1/t1.nii.gz").read_bytes()
    assert gzip.decompress((tmp_path / "out/t2.nii.gz").read_bytes()) == (tmp_path / "in/P1/T2.nii").read_bytes()
    assert record.facts["channels"]["t2"]["files"] == ["P1/T2.nii"]


def test_an_axis_of_length_one_is_removed(tmp_path):
    write_nifti(tmp_path / "in/P1/t1.nii.gz", noise(1)[..., None], AFFINE)
    assert convert_all(tmp_path / "in", tmp_path / "out").succeeded
    image = nibabel.load(tmp_path / "out/t1.nii.gz")
    assert image.shape == SHAPE
    np.testing.assert_array_equal(image.dataobj, noise(1))


def test_a_table_says_what_was_decided(tmp_path):
    write_nifti(tmp_path / "in/P1/t1.nii.gz", noise(1), AFFINE)
    write_nifti(tmp_path / "in/P1/brain_mask.nii.gz", noise(1), AFFINE)
    convert_all(tmp_path / "in", tmp_path / "out")
    table = read_table(tmp_path / "out/series.tsv")
    assert dict(zip(table["file"], table["decision"], strict=True)) == {
        "brain_mask.nii.gz": "left: a mask",
        "t1.nii.gz": "chosen for t1",
    }


def failing(name):
    """Return voxels with a fault."""
    volume = noise(1).astype(np.float32)
    if name == "not_finite":
        volume[3, 3, 3] = np.nan
    if name == "constant_image":
        volume[:] = 7
    return volume


def test_an_image_beyond_the_limit_is_a_problem_of_its_patient_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr("tumorseg.preparation.scanner_images.MAX_VOXELS", noise(1).size - 1)
    write_nifti(tmp_path / "in/P1/t1.nii.gz", noise(1), AFFINE)
    record = convert_all(tmp_path / "in", tmp_path / "out")
    (problem,) = record.problems
    assert problem.code == "image_too_large"
    assert problem.message == "t1.nii.gz: it has more than 7,679 voxels; resample or crop it, or use another image"
    assert not (tmp_path / "out/t1.nii.gz").exists()


@pytest.mark.parametrize("code", ["not_finite", "constant_image"])
def test_unusable_voxels_are_a_problem_and_nothing_is_written(tmp_path, code):
    write_nifti(tmp_path / "in/P1/t1.nii.gz", failing(code), AFFINE)
    write_nifti(tmp_path / "in/P1/t2.nii.gz", noise(2), AFFINE)
    assert codes(convert_all(tmp_path / "in", tmp_path / "out").problems) == [code]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["record.json", "series.tsv"]


def test_a_truncated_nifti_file_is_a_problem(tmp_path):
    write_nifti(tmp_path / "in/P1/t1.nii.gz", noise(1), AFFINE)
    path = tmp_path / "in/P1/t1.nii.gz"
    path.write_bytes(path.read_bytes()[:5000])
    (problem,) = convert_all(tmp_path / "in", tmp_path / "out").problems
    assert problem.code == "truncated"
    assert problem.message.startswith("t1.nii.gz: ")


def test_the_same_voxels_twice_are_a_problem(tmp_path):
    for name in ("t1", "t1c"):
        write_nifti(tmp_path / f"in/P1/{name}.nii.gz", noise(1), AFFINE)
    assert codes(convert_all(tmp_path / "in", tmp_path / "out").problems) == ["equal_voxels"]


def test_a_small_field_of_view_is_a_warning(tmp_path):
    write_nifti(tmp_path / "in/P1/t1.nii.gz", noise(1), np.diag([-8.0, 8.0, 4.0, 1.0]))
    record = convert_all(tmp_path / "in", tmp_path / "out")
    assert codes(record.warnings) == ["channel_not_found", "small_field_of_view"]
    assert "192 x 160 x 64 mm" in record.warnings[1].message


def test_an_unreadable_dicom_file_is_named_in_the_table_only(tmp_path):
    write_four(tmp_path / "in/P1")
    (tmp_path / "in/P1/DOE^JANE.dcm").write_bytes(b"broken")
    record = convert_all(tmp_path / "in", tmp_path / "out")
    assert codes(record.warnings) == ["corrupted_dicom"]
    assert "JANE" not in record.warnings[0].message
    assert list(read_table(tmp_path / "out/series.tsv")["file"])[-1] == "DOE^JANE.dcm"


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [((), "no_images", "the folder is empty"), (("a.zip",), "archive", "a.zip"), (("a.txt",), "no_images", "a.txt")],
)
def test_a_patient_without_images_has_a_sentence(tmp_path, files, code, words):
    (problem,) = convert_patient(tmp_path, PatientSource("P1", "none", "P1", files), TASK, tmp_path / "out").problems
    assert problem.code == code
    assert words in problem.message
