"""Headers of DICOM files, grouped into series."""

import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from tests.support.dicom import FLAIR, T1, T2, write_series
from tumorseg.preparation.dicom_series import read_dicom_folder

SHAPE = (16, 14, 12)
AFFINE = np.diag([-1.0, 1.0, 5.0, 1.0])
NOISE = np.random.default_rng(0).integers(0, 1000, SHAPE)


def only_series(folder):
    (series,) = read_dicom_folder(folder).series
    return series


def test_a_series_has_the_facts_of_its_headers(tmp_path):
    write_series(tmp_path, NOISE, AFFINE, replace(FLAIR, contrast_agent="Gadobutrol"))
    series = only_series(tmp_path)
    assert (series.header.number, series.header.description, series.header.modality) == (4, "t2_flair_ax", "MR")
    assert (series.plane, series.slices, series.spacing_mm) == ("axial", 12, 5.0)
    assert series.field_of_view_mm == (16.0, 14.0, 60.0)
    assert (series.header.tr_ms, series.echo_time_ms, series.header.ti_ms) == (9000.0, 90.0, 2500.0)
    assert (series.header.agent, series.header.study_date) == ("Gadobutrol", "2020-01-02")
    assert (series.missing_slices, series.duplicate_positions, series.missing_instances) == (0, 0, 0)


@pytest.mark.parametrize(
    ("text", "date", "invalid"),
    [
        ("00000000", "", True),
        ("20240231", "", True),
        ("2024.03.31", "2024-03-31", False),
        ("", "", False),
        (None, "", False),
    ],
)
def test_a_study_date_that_is_no_date_is_unknown(tmp_path, text, date, invalid):
    write_series(tmp_path, NOISE, AFFINE, replace(T1, other={"StudyDate": text}))
    header = only_series(tmp_path).header
    assert (header.study_date, header.is_date_invalid) == (date, invalid)


def test_the_header_keeps_no_patient_id(tmp_path):
    write_series(tmp_path, NOISE, AFFINE, replace(T1, patient_id="SECRET-7"))
    assert "SECRET-7" not in repr(only_series(tmp_path))


def test_files_are_in_the_order_of_the_slices(tmp_path):
    paths = write_series(tmp_path, NOISE, np.diag([-1.0, -1.0, 5.0, 1.0]))
    assert only_series(tmp_path).files == tuple(path.name for path in paths)


def test_centres_are_those_of_the_affine(tmp_path):
    affine = np.array([[-1.0, 0, 0, 8], [0, -2.0, 0, 7], [0, 0, 5.0, -30], [0, 0, 0, 1]])
    write_series(tmp_path, NOISE, affine)
    centres = [(affine @ [(SHAPE[0] - 1) / 2, (SHAPE[1] - 1) / 2, k, 1])[:3] for k in range(SHAPE[2])]
    np.testing.assert_allclose(only_series(tmp_path).centres_mm, centres, atol=1e-6)


@pytest.mark.parametrize(
    ("edges", "plane"),
    [(([0, 1, 0], [0, 0, 1], [5, 0, 0]), "sagittal"), (([1, 0, 0], [0, 0, 1], [0, -5, 0]), "coronal")],
)
def test_planes(tmp_path, edges, plane):
    affine = np.eye(4)
    affine[:3, :3] = np.array(edges).T
    write_series(tmp_path, NOISE, affine)
    assert only_series(tmp_path).plane == plane


def test_names_without_ending_and_files_without_magic_are_read(tmp_path):
    paths = write_series(tmp_path, NOISE, AFFINE)
    for number, path in enumerate(paths):
        path.rename(path.with_name(f"IM{number}"))
    first = tmp_path / "IM0"
    first.write_bytes(first.read_bytes()[132:])
    (tmp_path / "README").write_text("not an image")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    assert only_series(tmp_path).slices == len(paths)
    assert read_dicom_folder(tmp_path).unreadable == ()


@pytest.mark.parametrize(("removed", "missing"), [([4, 5], 2), (range(1, 12, 2), 5)])
def test_missing_slices_are_counted(tmp_path, removed, missing):
    paths = write_series(tmp_path, NOISE, AFFINE)
    for index in removed:
        paths[index].unlink()
    assert only_series(tmp_path).missing_slices == missing


def test_thin_slices_with_wide_gaps_are_complete(tmp_path):
    write_series(tmp_path, NOISE, AFFINE, replace(T1, other={"SpacingBetweenSlices": None, "SliceThickness": 2.5}))
    assert only_series(tmp_path).missing_slices == 0


def test_missing_instance_numbers_are_a_hint(tmp_path):
    for path in write_series(tmp_path, NOISE, AFFINE)[:6]:
        path.unlink()
    series = only_series(tmp_path)
    assert (series.missing_slices, series.missing_instances) == (0, 6)


def test_copies_of_a_file_count_once(tmp_path):
    paths = write_series(tmp_path, NOISE, AFFINE)
    shutil.copytree(tmp_path, tmp_path / "copy")
    assert only_series(tmp_path).slices == len(paths)


def test_echoes_of_one_series_are_divided(tmp_path):
    uid = {"SeriesInstanceUID": "1.2.3"}
    write_series(tmp_path / "a", NOISE, AFFINE, replace(T2, echo_time_ms=20.0, other=uid))
    write_series(tmp_path / "b", NOISE, AFFINE, replace(T2, echo_time_ms=95.0, other=uid))
    found = read_dicom_folder(tmp_path).series
    assert [(series.echo_time_ms, series.duplicate_positions) for series in found] == [(20.0, 0), (95.0, 0)]


def test_several_volumes_of_one_series_are_duplicate_positions(tmp_path):
    uid = {"SeriesInstanceUID": "1.2.3"}
    write_series(tmp_path / "a", NOISE, AFFINE, replace(T2, other=uid))
    write_series(tmp_path / "b", NOISE + 1, AFFINE, replace(T2, other=uid))
    for path in (tmp_path / "b").iterdir():
        dataset = pydicom.dcmread(path)
        dataset.SOPInstanceUID = pydicom.uid.generate_uid()
        dataset.save_as(path)
    assert only_series(tmp_path).duplicate_positions == SHAPE[2]


def test_a_localizer_has_several_directions(tmp_path):
    uid = {"SeriesInstanceUID": "1.2.3"}
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 1, 0], [0, 0, 1], [5, 0, 0]]).T
    write_series(tmp_path / "a", NOISE, AFFINE, replace(T1, other=uid))
    write_series(tmp_path / "b", NOISE, affine, replace(T1, other=uid, study_date="20200103"))
    assert only_series(tmp_path).directions == 2


def test_a_cut_file_is_truncated_and_a_broken_one_unreadable(tmp_path):
    paths = write_series(tmp_path, NOISE, AFFINE)
    paths[3].write_bytes(paths[3].read_bytes()[:-20])
    paths[4].write_bytes(paths[4].read_bytes()[:200])
    folder = read_dicom_folder(tmp_path)
    assert folder.unreadable == (paths[4].name,)
    assert (folder.series[0].truncated_slices, folder.series[0].missing_slices) == (1, 1)
