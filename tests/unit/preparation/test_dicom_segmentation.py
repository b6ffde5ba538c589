"""Masks as DICOM Segmentation objects: their pixels, their geometry and what their headers say."""

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from nibabel.affines import from_matvec
from nibabel.eulerangles import euler2mat

from tests.support.builders import TASK, hypothesis_settings
from tests.support.case_files import raw_patient
from tests.support.dicom import GRIDS, T1CE, VolumeOnGrid, convert_back, on_grid_of, write_nifti_as_series
from tests.support.dicom_segmentations import Marked, labels_from, marked_series, write_segmentation, wrong_pixels

grids = pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS)


@grids
def test_each_pixel_has_the_label_of_the_source_pixel(tmp_path, affine):
    series = marked_series(tmp_path, affine)
    labels = write_segmentation(tmp_path / "seg.dcm", series)
    assert labels == TASK.label_values
    assert wrong_pixels(tmp_path / "seg.dcm", series.files, labels) == 0


@grids
def test_highdicom_reads_the_mask_back(tmp_path, affine):
    series = marked_series(tmp_path, affine)
    labels = write_segmentation(tmp_path / "seg.dcm", series)
    assert np.array_equal(on_grid_of(series.mask, labels_from(tmp_path / "seg.dcm", labels)), series.mask.voxels)


@grids
def test_dcm2niix_reads_a_segment_back(tmp_path, affine):
    # One segment only: of several, it mixes the slices.
    series = marked_series(tmp_path, affine, labels=(0, 2))
    assert write_segmentation(tmp_path / "object/seg.dcm", series) == (2,)
    (image,) = convert_back(tmp_path / "object", tmp_path / "converted")
    assert np.array_equal(on_grid_of(series.mask, image) * 2, series.mask.voxels)


def test_simpleitk_reads_the_frames(tmp_path):
    series = marked_series(tmp_path, GRIDS["oblique"])
    labels = write_segmentation(tmp_path / "seg.dcm", series)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    image = SimpleITK.ReadImage(tmp_path / "seg.dcm")
    assert np.array_equal(SimpleITK.GetArrayFromImage(image) > 0, dataset.pixel_array > 0)
    first = dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
    assert np.allclose(image.GetOrigin(), first, atol=1e-4)
    assert len(labels) * 6 == image.GetSize()[2]


@given(
    angles=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    edges=st.tuples(*[st.sampled_from([0.45, 0.9375, 1.0, 2.5, 6.0])] * 3),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    order=st.permutations(range(3)),
)
@hypothesis_settings(20)
def test_any_orthogonal_grid_keeps_its_labels(tmp_path_factory, angles, edges, signs, order):
    folder = tmp_path_factory.mktemp("series")
    axes = euler2mat(*angles) @ np.eye(3)[:, list(order)]
    series = marked_series(folder, from_matvec(axes * edges * signs, [12.5, -31.25, 7]), shape=(7, 5, 4))
    labels = write_segmentation(folder / "seg.dcm", series)
    assert wrong_pixels(folder / "seg.dcm", series.files, labels) == 0
    assert np.array_equal(on_grid_of(series.mask, labels_from(folder / "seg.dcm", labels)), series.mask.voxels)


def test_the_slices_of_a_real_patient_keep_a_mask(tmp_path):
    folder = raw_patient()
    image = nibabel.load(folder / "t1c.nii.gz")
    brain = nibabel.load(folder / "brain_mask_of_t1c_by_another_tool.nii.gz")
    original = VolumeOnGrid(np.asarray(brain.dataobj).astype(np.uint8) * 2, image.affine)
    files = write_nifti_as_series(tmp_path / "dicom", folder / "t1c.nii.gz", T1CE)
    (converted,) = convert_back(tmp_path / "dicom", tmp_path / "nifti")
    mask = VolumeOnGrid(on_grid_of(converted, original), converted.affine)
    labels = write_segmentation(tmp_path / "seg.dcm", Marked(files, mask))
    assert np.array_equal(on_grid_of(original, labels_from(tmp_path / "seg.dcm", labels)), original.voxels)
