import gzip

import nibabel
import numpy as np

from tumorseg.nifti import nifti_bytes, write_nifti

AFFINE = np.array([[0, -1, 0, 3], [2, 0, 0, -4], [0, 0, 1.5, 5], [0, 0, 0, 1]])
VOLUME = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def test_a_volume_comes_back_as_it_was(tmp_path):
    write_nifti(tmp_path / "volume.nii.gz", VOLUME, AFFINE)
    image = nibabel.load(tmp_path / "volume.nii.gz")
    assert image.get_data_dtype() == np.int16
    assert np.array_equal(image.dataobj, VOLUME)
    for form, code in (image.header.get_qform(coded=True), image.header.get_sform(coded=True)):
        assert np.allclose(form, AFFINE, atol=1e-6)
        assert code == 1
    assert image.header.get_xyzt_units()[0] == "mm"


def test_neither_header_holds_a_time_or_a_name():
    content = nifti_bytes(VOLUME, AFFINE)
    # RFC 1952: no flag of a name, then the time.
    assert (content[3], content[4:8]) == (0, bytes(4))
    header = nibabel.Nifti1Image.from_bytes(gzip.decompress(content)).header
    assert not any(header[field].item() for field in ("descrip", "db_name", "intent_name", "aux_file"))


def test_a_higher_level_makes_it_smaller():
    noise = np.random.default_rng(0).integers(0, 4, (20, 20, 20), np.uint8)
    assert len(nifti_bytes(noise, AFFINE, level=9)) < len(nifti_bytes(noise, AFFINE, level=1))
