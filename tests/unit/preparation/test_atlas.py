"""The atlas of a task."""

import numpy as np
import pytest

from tumorseg.errors import UserError
from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.atlas import load_atlas


def test_the_template_of_nilearn_is_a_brain_at_1_mm():
    atlas = load_atlas("mni152")
    assert atlas.image.spacing_mm.tolist() == [1, 1, 1]
    assert 1.8e6 < atlas.brain.sum() < 2e6
    assert (atlas.image.array[~atlas.brain] == 0).all()


def test_a_user_has_an_own_atlas(tmp_path):
    brain = np.zeros((60, 60, 60), np.int16)
    brain[10:50, 10:50, 10:50] = 100
    write_nifti(tmp_path / "sri24.nii.gz", brain, np.diag([-3.0, -3.0, 3.0, 1.0]))
    atlas = load_atlas(str(tmp_path / "sri24.nii.gz"))
    assert atlas.name == "sri24.nii.gz"
    assert atlas.brain.sum() == 40**3


def test_an_atlas_with_skull_is_refused(tmp_path):
    write_nifti(tmp_path / "head.nii.gz", np.ones((60, 60, 60), np.int16), np.diag([3.0, 3.0, 3.0, 1.0]))
    with pytest.raises(UserError, match="does not show a brain without skull"):
        load_atlas(str(tmp_path / "head.nii.gz"))


def test_a_missing_atlas_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.nii\.gz"):
        load_atlas(str(tmp_path / "none.nii.gz"))
