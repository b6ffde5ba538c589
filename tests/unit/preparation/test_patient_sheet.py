"""The sample sheet of new patients, from the table to the images."""

import shutil
from dataclasses import replace

import pytest
import yaml

from tests.support.builders import REPOSITORY
from tests.support.dicom import FLAIR, T1, T1CE, T2, write_series
from tests.unit.preparation.test_conversion import AFFINE, codes, noise, write_four
from tumorseg.errors import UserError
from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.conversion import convert_patient
from tumorseg.preparation.patient_sheet import read_patient_sheet
from tumorseg.task import load_task

TASK = load_task()
SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/patients.schema.yaml").read_text())


def read(folder, text):
    path = folder / "samples.tsv"
    path.write_text(text.replace(" ", "\t"))
    return read_patient_sheet(path, TASK, SCHEMA)


def test_a_sheet_gives_the_path_of_each_channel_and_the_date(tmp_path):
    (source,) = read(tmp_path, "case t1ce flair date patient\nP1_a a/t1.nii b 2020-01-02 P1\n")
    assert (source.case, source.kind, source.patient, source.date) == ("P1_a", "sheet", "P1", "2020-01-02")
    assert source.channels == {"t1ce": "a/t1.nii", "flair": "b"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("case t1\nP1 \n", "P1 has no image"),
        ("case t1 t2\nP1 a.nii a.nii\n", "a.nii is the t2, but also the t1 of line 2"),
        ("case t1gd\nP1 a.nii\n", "did you mean t1ce?"),
        ("t1 t2\na b\n", "add the column case"),
        ("case t1 date\nP1 a 2.1.2020\n", "YYYY-MM-DD"),
        ("case t1 date\nP1 a 2024-02-29\nP2 b 2024-02-31\n", "line 3: the date 2024-02-31 of P2 does not exist"),
        ("case t1 patient\nP1 a 2023/014\n", "line 2: the patient '2023/014' is not allowed"),
        ("case t1 patient\nP1 a .P\n", "line 2: the patient '.P' is not allowed"),
        ("case t1\nP1 a\nP1 b\n", "the case P1 is in line 2 already"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, text, words):
    with pytest.raises(UserError, match=r"^segment.samples: ") as error:
        read(tmp_path, text)
    assert words in str(error.value)


def convert(folder, text):
    (source,) = read(folder, text)
    return convert_patient(folder, source, TASK, folder / "out")


def test_files_folders_and_files_of_a_series_can_be_named(tmp_path):
    write_four(tmp_path / "dicom")
    write_nifti(tmp_path / "any.nii.gz", noise(9), AFFINE)
    record = convert(tmp_path, "case t1 t2 flair\nP1 any.nii.gz dicom/3 dicom/4/004-0005.dcm\n")
    assert record.problems == ()
    channels = record.facts["channels"]
    assert (channels["t1"]["kind"], channels["t2"]["kind"]) == ("nifti", "dicom")
    assert min(channels["flair"]["files"]) == "dicom/4/004-0001.dcm"
    assert len(channels["flair"]["files"]) == 16


def test_a_sheet_decides_between_equal_series(tmp_path):
    for number in (2, 8):
        write_series(tmp_path / "all", noise(number), AFFINE, replace(T1CE, number=number))
    record = convert(tmp_path, "case t1ce\nP1 all/008-0001.dcm\n")
    assert record.facts["channels"]["t1ce"]["label"] == "series 8 (t1_tse_ax_post_gd)"


def test_a_copy_of_a_file_of_a_series_can_be_named(tmp_path):
    files = write_series(tmp_path / "a", noise(1), AFFINE, T1)
    shutil.copy(files[3], tmp_path / "a/z-copy.dcm")
    record = convert(tmp_path, "case t1\nP1 a/z-copy.dcm\n")
    assert record.problems == ()
    assert record.facts["channels"]["t1"]["slices"] == 16
    assert "a/z-copy.dcm" in record.facts["channels"]["t1"]["files"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing.nii", "there is no such file or folder"),
        ("all", "the folder holds 2 series"),
        ("empty", "no DICOM series"),
        ("notes.txt", "neither a NIfTI file"),
    ],
)
def test_a_wrong_path_is_a_problem_with_its_reason(tmp_path, path, words):
    for header in (T1, T2):
        write_series(tmp_path / "all", noise(1), AFFINE, header)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no image")
    (problem,) = convert(tmp_path, f"case t1\nP1 {path}\n").problems
    assert problem.code == "sheet_path"
    assert problem.message.startswith(f"t1: {path}: ")
    assert words in problem.message


def test_series_of_two_patients_are_refused(tmp_path):
    write_series(tmp_path / "a", noise(1), AFFINE, T1)
    write_series(tmp_path / "b", noise(2), AFFINE, replace(FLAIR, patient_id="TEST-2"))
    assert codes(convert(tmp_path, "case t1 flair\nP1 a b\n").problems) == ["several_patients"]


def test_series_of_two_studies_are_a_warning(tmp_path):
    write_series(tmp_path / "a", noise(1), AFFINE, T1)
    write_series(tmp_path / "b", noise(2), AFFINE, replace(FLAIR, study_date="20210304"))
    record = convert(tmp_path, "case t1 flair\nP1 a b\n")
    assert (record.problems, codes(record.warnings)) == ((), ["several_studies"])
    assert record.facts["study_date"] is None


def test_an_image_that_is_not_mr_is_refused(tmp_path):
    write_series(tmp_path / "a", noise(1), AFFINE, replace(T1, modality="CT"))
    assert codes(convert(tmp_path, "case t1\nP1 a\n").problems) == ["other_modality"]


@pytest.mark.parametrize(("cells", "warned"), [("case t1\nP1 a\n", True), ("case t1 date\nP1 a 2024-03-01\n", False)])
def test_an_invalid_date_of_dicom_is_a_warning_unless_the_sheet_has_one(tmp_path, cells, warned):
    write_series(tmp_path / "a", noise(1), AFFINE, replace(T1, study_date="00000000"))
    record = convert(tmp_path, cells)
    assert (record.problems, codes(record.warnings)) == ((), ["invalid_date"] if warned else [])
    assert record.facts["study_date"] == (None if warned else "2024-03-01")
