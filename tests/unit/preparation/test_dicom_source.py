"""Source series of DICOM segmentations: any order, copies, multi-frame images, and what is refused."""

import random
import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from highdicom.legacy import LegacyConvertedEnhancedMRImage
from nibabel.affines import from_matvec
from nibabel.eulerangles import euler2mat

from tests.support.dicom import AXIAL, GRIDS, T1, T1CE, on_grid_of, write_series
from tests.support.dicom_segmentations import (
    Marked,
    labels_from,
    marked_series,
    write_segmentation,
    wrong_pixels,
)
from tumorseg.preparation.dicom_source import DicomSourceError, read_source_series


@pytest.fixture
def series(tmp_path):
    return marked_series(tmp_path, GRIDS["oblique"])


def change(file, **elements):
    """Change elements of a DICOM file; None removes one."""
    dataset = pydicom.dcmread(file)
    for keyword, value in elements.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(file)


def refusal(series, files=None, mask=None):
    """Return the message with which a segmentation is refused; no file may be left behind."""
    path = series.files[0].parent.parent / "seg.dcm"
    with pytest.raises(DicomSourceError) as error:
        write_segmentation(path, Marked(series.files, mask or series.mask), files=files)
    assert not path.exists()
    assert str(path.parent) not in str(error.value)
    return str(error.value)


def test_the_order_of_the_files_does_not_matter(series, tmp_path):
    write_segmentation(tmp_path / "one.dcm", series)
    shuffled = random.Random(0).sample(series.files, len(series.files))
    write_segmentation(tmp_path / "two.dcm", series, files=shuffled)
    assert (tmp_path / "one.dcm").read_bytes() == (tmp_path / "two.dcm").read_bytes()


def test_copies_of_a_file_count_once(series, tmp_path):
    copy = shutil.copy(series.files[2], tmp_path / "copy.dcm")
    labels = write_segmentation(tmp_path / "seg.dcm", series, files=[*series.files, copy, series.files[0]])
    assert wrong_pixels(tmp_path / "seg.dcm", series.files, labels) == 0


@pytest.mark.parametrize("missing", [0, 3, 5])
def test_a_missing_slice_is_refused(series, missing):
    files = [file for index, file in enumerate(series.files) if index != missing]
    assert "12x10x6 voxels, but the source series has 12x10x5" in refusal(series, files)


def test_a_mask_of_an_incomplete_series_is_refused(series):
    files = [file for index, file in enumerate(series.files) if index != 3]
    short = series.mask._replace(voxels=series.mask.voxels[:, :, :5])
    assert "voxels away from the pixels" in refusal(series, files, short)


def test_another_series_is_refused(series, tmp_path):
    other = write_series(tmp_path / "other", np.ones((12, 10, 6)), GRIDS["oblique"], T1)
    assert "differ in SeriesInstanceUID" in refusal(series, [*series.files, *other])
    moved = write_series(tmp_path / "moved", np.ones((12, 10, 6)), GRIDS["axial"], T1)
    assert "voxels away from the pixels" in refusal(series, moved)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("voxels", [-0.15, 0.5, 1, 3])
def test_a_shifted_mask_is_refused(series, axis, voxels):
    moved = series.mask.affine.copy()
    moved[:3, 3] += voxels * moved[:3, axis]
    assert f"{abs(voxels):g} voxels away" in refusal(series, mask=series.mask._replace(affine=moved))


def test_rounded_positions_are_accepted(series):
    for number, file in enumerate(series.files):
        position = pydicom.dcmread(file).ImagePositionPatient
        change(file, ImagePositionPatient=[round(float(value), 1) for value in position], InstanceNumber=number)
    labels = write_segmentation(series.files[0].parent / "seg.dcm", series)
    assert wrong_pixels(series.files[0].parent / "seg.dcm", series.files, labels) == 0


def test_a_mask_on_another_grid_is_refused(series):
    for step in (np.diag([1.1, 1.1, 1, 1]), from_matvec(euler2mat(0.02, 0, 0)), from_matvec(euler2mat(0.5, 0, 0))):
        other = series.mask._replace(affine=series.mask.affine @ step)
        assert "voxels away from the pixels" in refusal(series, mask=other)
    sheared = from_matvec(np.array([[1, 0.1, 0], [1, 0, 0], [0, 1, 1]]))
    other = series.mask._replace(affine=series.mask.affine @ sheared)
    assert "the axes of the mask" in refusal(series, mask=other)


def test_different_patients_are_refused_without_their_names(series):
    change(series.files[1], PatientID="SECRET")
    message = refusal(series)
    assert "differ in PatientID" in message
    assert "SECRET" not in message


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "ImagePositionPatient", "PixelSpacing"])
def test_a_header_without_geometry_is_refused(series, keyword):
    for file in series.files:
        change(file, **{keyword: None})
    assert keyword in refusal(series)


def test_two_slices_at_one_position_are_refused(series, tmp_path):
    copy = shutil.copy(series.files[2], tmp_path / "echo.dcm")
    change(copy, SOPInstanceUID="1.2.3")
    assert "at the same position" in refusal(series, [*series.files, copy])


def test_slices_of_several_planes_are_refused(series):
    change(series.files[1], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    assert "differ in ImageOrientationPatient" in refusal(series)


def test_one_uid_for_different_slices_is_refused(series):
    change(series.files[1], SOPInstanceUID=pydicom.dcmread(series.files[0]).SOPInstanceUID)
    assert "one SOPInstanceUID" in refusal(series)


def test_a_file_that_is_not_dicom_is_refused_without_its_name(series, tmp_path):
    (tmp_path / "0-notes.txt").write_text("no image")
    message = refusal(series, [*series.files, tmp_path / "0-notes.txt"])
    assert message.startswith("file 1 of the 7 files of the source series, in the order of their names, has no SOP")
    assert "notes" not in message


def test_a_truncated_file_is_refused(series):
    series.files[1].write_bytes(series.files[1].read_bytes()[:500])
    assert "file 2 of the 6 files" in refusal(series)


def test_files_without_the_mark_of_dicom_are_read(series, tmp_path):
    for file in series.files:
        content = file.read_bytes()
        file.write_bytes(content[132 + 12 + int.from_bytes(content[140:144], "little") :])
    labels = write_segmentation(tmp_path / "seg.dcm", series)
    volume = labels_from(tmp_path / "seg.dcm", labels)
    assert np.array_equal(on_grid_of(series.mask, volume), series.mask.voxels)


def test_invalid_elements_of_the_patient_are_left_out(tmp_path):
    other = {"PatientSex": "W", "PatientBirthDate": None, "StudyTime": None, "SliceThickness": None}
    series = marked_series(tmp_path, header=replace(T1CE, other=other))
    write_segmentation(tmp_path / "seg.dcm", series)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    assert (dataset.PatientSex, dataset.PatientBirthDate) == ("", "")
    assert dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness == 5


def test_a_source_without_any_date_gets_the_date_of_the_run(tmp_path):
    dates = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
    series = marked_series(tmp_path, header=replace(T1CE, other=dict.fromkeys(dates)))
    write_segmentation(tmp_path / "seg.dcm", series)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    assert dataset.StudyDate == ""
    assert dataset.ContentDate.startswith("20")


def test_a_single_slice_can_be_a_source(tmp_path):
    series = marked_series(tmp_path, shape=(12, 10, 1))
    labels = write_segmentation(tmp_path / "seg.dcm", series)
    assert wrong_pixels(tmp_path / "seg.dcm", series.files, labels) == 0


@pytest.mark.parametrize("affine", [AXIAL, GRIDS["oblique"], GRIDS["sagittal"]], ids=["axial", "oblique", "sagittal"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_multi_frame_image_can_be_a_source(tmp_path, affine, reverse):
    series = marked_series(tmp_path, affine)
    slices = sorted(map(pydicom.dcmread, series.files), key=lambda each: each.InstanceNumber, reverse=reverse)
    image = LegacyConvertedEnhancedMRImage(slices, "1.2.3", 1, "1.2.3.4", 1)
    image.save_as(tmp_path / "multi.dcm")
    labels = write_segmentation(tmp_path / "seg.dcm", series, files=[tmp_path / "multi.dcm"])
    assert np.array_equal(on_grid_of(series.mask, labels_from(tmp_path / "seg.dcm", labels)), series.mask.voxels)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        frame = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        source = image.PerFrameFunctionalGroupsSequence[frame - 1].PlanePositionSequence[0]
        assert groups.PlanePositionSequence[0].ImagePositionPatient == source.ImagePositionPatient


def test_no_files_are_refused():
    with pytest.raises(DicomSourceError, match="no files"):
        read_source_series([])
