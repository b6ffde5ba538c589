"""Conversion of a real patient with thick oblique slices: as NIfTI files, and as DICOM series made from them."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import raw_patient
from tests.support.dicom import FLAIR, T1, T1CE, T2, VolumeOnGrid, on_grid_of, write_nifti_as_series
from tumorseg.preparation.conversion import convert_patient
from tumorseg.preparation.patient_sources import find_patients
from tumorseg.task import load_task

FILES = {"t1": "t1.nii.gz", "t1ce": "t1c.nii.gz", "t2": "t2.nii.gz", "flair": "fla.nii.gz"}
HEADERS = {"t1": T1, "t1ce": T1CE, "t2": T2, "flair": FLAIR}


def test_the_files_are_found_by_their_names_and_copied(tmp_path):
    folder = raw_patient()
    (source,) = find_patients(folder)
    record = convert_patient(folder, source, load_task(), tmp_path)
    assert (record.problems, record.warnings) == ((), ())
    for channel, name in FILES.items():
        assert (tmp_path / f"{channel}.nii.gz").read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("channel", FILES)
def test_a_series_becomes_the_image_that_it_was_made_from(tmp_path, channel):
    file = raw_patient() / FILES[channel]
    write_nifti_as_series(tmp_path / "in/P1", file, HEADERS[channel])
    (source,) = find_patients(tmp_path / "in")
    record = convert_patient(tmp_path / "in", source, load_task(), tmp_path / "out")
    assert (list(record.facts["channels"]), record.problems) == ([channel], ())
    original, converted = (nibabel.load(path) for path in (file, tmp_path / f"out/{channel}.nii.gz"))
    reference, volume = (VolumeOnGrid(np.asarray(image.dataobj), image.affine) for image in (original, converted))
    np.testing.assert_array_equal(on_grid_of(reference, volume), reference.voxels)
