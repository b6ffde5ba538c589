import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK

from tumorseg.io.nifti import nifti_bytes, write_nifti
from tumorseg.io.volume import read_volume

AFFINE = np.array([[0, -1, 0, 3], [2, 0, 0, -4], [0, 0, 1.5, 5], [0, 0, 0, 1]])
VOLUME = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def test_a_volume_round_trips(tmp_path):
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
    # RFC 1952: the flags (none for a name), then the time.
    assert (content[3], content[4:8]) == (0, bytes(4))
    header = nibabel.Nifti1Image.from_bytes(gzip.decompress(content)).header
    assert not any(header[field].item() for field in ("descrip", "db_name", "intent_name", "aux_file"))


def test_a_higher_level_gives_a_smaller_file():
    noise = np.random.default_rng(0).integers(0, 4, (20, 20, 20), np.uint8)
    assert len(nifti_bytes(noise, AFFINE, level=9)) < len(nifti_bytes(noise, AFFINE, level=1))


def test_a_mask_written_with_the_forms_of_an_image_overlays_it_in_both_forms(tmp_path):
    moved = AFFINE + np.array([[0, 0, 0, far] for far in (10, -20, 60, 0)])
    image = nibabel.Nifti1Image(VOLUME, None)
    image.set_qform(moved, 1)
    image.set_sform(AFFINE, 4)
    nibabel.save(image, tmp_path / "image.nii.gz")
    source = read_volume(tmp_path / "image.nii.gz")
    for name, volume in {"mask": VOLUME, "probabilities": np.stack([VOLUME] * 4, axis=-1)}.items():
        write_nifti(tmp_path / f"{name}.nii.gz", volume, source.affine, source.forms)
        written = nibabel.load(tmp_path / f"{name}.nii.gz")
        assert np.array_equal(written.dataobj, volume)
        for form in ("get_qform", "get_sform"):
            ours, code = getattr(written, form)(coded=True)
            theirs, expected = getattr(image, form)(coded=True)
            assert np.allclose(ours, theirs, atol=1e-5)
            assert code == expected
    again = read_volume(tmp_path / "mask.nii.gz")
    assert again.forms == source.forms


@pytest.mark.parametrize("codes", [(1, 0), (0, 2), (1, 2), (0, 0)])
def test_a_mask_overlays_its_image_in_simpleitk_for_all_form_codes(tmp_path, codes):
    image = nibabel.Nifti1Image(VOLUME, None)
    image.set_qform(AFFINE, codes[0])
    image.set_sform(AFFINE, codes[1])
    nibabel.save(image, tmp_path / "image.nii.gz")
    source = read_volume(tmp_path / "image.nii.gz")
    write_nifti(tmp_path / "mask.nii.gz", VOLUME, source.affine, source.forms)
    places = []
    for name in ("image", "mask"):
        read = SimpleITK.ReadImage(str(tmp_path / f"{name}.nii.gz"))
        places.append([read.TransformIndexToPhysicalPoint(corner) for corner in ((0, 0, 0), (1, 2, 3))])
    assert np.allclose(*places, atol=1e-4)
