"""The DICOM series that tests write are read back with the voxels, the grid and the header that went in."""

from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from nibabel.affines import from_matvec
from nibabel.eulerangles import euler2mat

from tests.support.builders import hypothesis_settings
from tests.support.dicom import (
    AXIAL,
    FLAIR,
    GRIDS,
    RAS_TO_LPS,
    T1,
    T1CE,
    VolumeOnGrid,
    convert_back,
    on_grid_of,
    write_nifti_as_series,
    write_series,
)

VOLUME = np.random.default_rng(0).integers(0, 4000, (12, 10, 6)).astype(np.uint16)
grids = pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS)


def assert_equal_images(one, two, *, atol=0.0):
    """Fail unless two pairs of voxels and affine have equal values at equal positions."""
    moved = on_grid_of(VolumeOnGrid(*one), VolumeOnGrid(*two))
    assert np.abs(one[0] - moved.astype(float)).max() <= atol


@grids
def test_dcm2niix_finds_the_voxels_at_their_positions(tmp_path, affine):
    write_series(tmp_path / "dicom", VOLUME, affine)
    (image,) = convert_back(tmp_path / "dicom", tmp_path / "nifti")
    assert_equal_images((VOLUME, affine), image)


@grids
def test_simpleitk_finds_the_voxels_at_their_positions(tmp_path, affine):
    paths = write_series(tmp_path, VOLUME, affine)
    reader = SimpleITK.ImageSeriesReader()
    assert set(reader.GetGDCMSeriesFileNames(str(tmp_path))) == set(map(str, paths))
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    directions = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    found = from_matvec(RAS_TO_LPS @ directions, RAS_TO_LPS @ image.GetOrigin())
    assert_equal_images((VOLUME, affine), (SimpleITK.GetArrayFromImage(image).T, found))


@given(
    angles=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    edges=st.tuples(*[st.sampled_from([0.45, 0.9375, 1.0, 2.5, 6.0])] * 3),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    order=st.permutations(range(3)),
)
@hypothesis_settings(25)
def test_any_orthogonal_grid_comes_back(tmp_path_factory, angles, edges, signs, order):
    folder = tmp_path_factory.mktemp("series")
    axes = euler2mat(*angles) @ np.eye(3)[:, list(order)]
    affine = from_matvec(axes * edges * signs, [12.5, -31.25, 7])
    write_series(folder / "dicom", VOLUME[:7, :5, :4], affine)
    (image,) = convert_back(folder / "dicom", folder / "nifti")
    assert_equal_images((VOLUME[:7, :5, :4], affine), image)


def test_negative_values_come_back(tmp_path):
    volume = VOLUME.astype(np.int16) - 2000
    write_series(tmp_path / "dicom", volume, AXIAL)
    (image,) = convert_back(tmp_path / "dicom", tmp_path / "nifti")
    assert_equal_images((volume, AXIAL), image)


def test_fractions_come_back_with_slope_and_intercept(tmp_path):
    header = replace(T1, slope=0.25, intercept=-8.5)
    volume = VOLUME * 0.25 - 8.5
    write_series(tmp_path / "dicom", volume, AXIAL, header)
    (image,) = convert_back(tmp_path / "dicom", tmp_path / "nifti")
    assert_equal_images((volume, AXIAL), image, atol=1e-4)


def test_a_nifti_image_becomes_a_series(tmp_path):
    nibabel.save(nibabel.Nifti1Image(VOLUME / np.float32(7), GRIDS["oblique"]), tmp_path / "image.nii.gz")
    write_nifti_as_series(tmp_path / "dicom", tmp_path / "image.nii.gz", FLAIR)
    (image,) = convert_back(tmp_path / "dicom", tmp_path / "nifti")
    one_step = VOLUME.max() / 7 / 4095
    assert_equal_images((VOLUME / 7, GRIDS["oblique"]), image, atol=one_step)


def test_the_header_has_what_the_choice_of_series_reads(tmp_path):
    header = replace(T1CE, number=7, body_part="HEAD", other={"SequenceName": "tfl3d", "EchoTrainLength": None})
    dataset = pydicom.dcmread(write_series(tmp_path, VOLUME, AXIAL, header)[0])
    assert (dataset.SeriesDescription, dataset.SeriesNumber) == ("t1_tse_ax_post_gd", 7)
    assert (dataset.ContrastBolusAgent, dataset.BodyPartExamined, dataset.Modality) == ("Gadobutrol", "HEAD", "MR")
    assert (dataset.RepetitionTime, dataset.EchoTime, dataset.SequenceName) == (500, 10, "tfl3d")
    assert "InversionTime" not in dataset
    assert "EchoTrainLength" not in dataset


def test_series_of_one_study_share_study_and_frame_only(tmp_path):
    first, second = (pydicom.dcmread(write_series(tmp_path, VOLUME, AXIAL, header)[0]) for header in (T1, T1CE))
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.FrameOfReferenceUID == second.FrameOfReferenceUID
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    other = pydicom.dcmread(write_series(tmp_path, VOLUME, AXIAL, replace(T1, patient_id="TEST-2"))[0])
    assert other.StudyInstanceUID != first.StudyInstanceUID


def test_a_series_is_written_with_equal_bytes_again(tmp_path):
    once, again = (write_series(tmp_path / name, VOLUME, AXIAL) for name in ("one", "two"))
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]


def test_values_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="16 bits"):
        write_series(tmp_path, VOLUME * 100.0, AXIAL)
    with pytest.raises(ValueError, match="whole numbers"):
        write_series(tmp_path, VOLUME / 3, AXIAL)
    with pytest.raises(ValueError, match="orthogonal"):
        write_series(tmp_path, VOLUME, AXIAL + np.eye(4, k=1))
