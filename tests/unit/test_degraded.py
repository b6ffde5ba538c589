"""The tools that turn prepared images into such as a scanner gives."""

import nibabel
import numpy as np
from nibabel.affines import apply_affine

from tests.support.degraded import add_head, rotate, thick_slices
from tests.unit.cohort.test_skull_stripping import BRAIN, brain
from tumorseg.io.nifti import write_nifti
from tumorseg.io.volume import read_volume
from tumorseg.preparation.extracted_brain import extracted_background

AFFINE = np.array([[-2.3, 0, 0, 70], [0, -2.3, 0, 80], [0, 0, 2.3, -60], [0, 0, 0, 1]])
IMAGE = nibabel.Nifti1Image(brain().astype(np.float32), AFFINE)


def centre_mm(mask, affine):
    return apply_affine(affine, np.argwhere(mask)).mean(axis=0)


def test_a_head_hides_that_the_brain_was_extracted(tmp_path):
    for name, image in {"brain": IMAGE, "head": add_head(IMAGE, "t1ce")}.items():
        write_nifti(tmp_path / f"{name}.nii.gz", np.asarray(image.dataobj), image.affine)
    assert extracted_background(read_volume(tmp_path / "brain.nii.gz")) is not None
    assert extracted_background(read_volume(tmp_path / "head.nii.gz")) is None


def test_the_brain_in_the_head_keeps_its_place_and_values():
    head = add_head(IMAGE, "flair", noise=0)
    index = np.rint(apply_affine(np.linalg.inv(head.affine) @ AFFINE, np.argwhere(BRAIN & (brain() > 0)))).astype(int)
    assert np.allclose(np.asarray(head.dataobj)[tuple(index.T)], brain()[BRAIN & (brain() > 0)], rtol=1e-5)


def test_the_motion_of_a_rotation_moves_every_point():
    turned, motion = rotate(IMAGE, (20, -10, 5), (3, 0, -8))
    assert np.allclose(turned.affine, motion @ AFFINE)
    assert np.allclose(motion[:3, :3] @ motion[:3, :3].T, np.eye(3))
    assert np.allclose(centre_mm(BRAIN, turned.affine), apply_affine(motion, centre_mm(BRAIN, AFFINE)))


def test_thick_slices_keep_the_place_of_the_brain():
    turned, _ = rotate(IMAGE, (15, 0, -10))
    mask = nibabel.Nifti1Image(BRAIN.astype(np.uint8), turned.affine)
    for labels in (True, False):
        thick = thick_slices(mask, (2, 2, 5), labels=labels)
        assert np.allclose(thick.header.get_zooms(), (2, 2, 5))
        found = np.asarray(thick.dataobj) > 0.5
        assert np.allclose(centre_mm(found, thick.affine), centre_mm(BRAIN, turned.affine), atol=0.3)
        assert abs(found.sum() * 20 / (BRAIN.sum() * 2.3**3) - 1) < 0.02
