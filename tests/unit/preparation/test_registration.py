"""Rigid registration, on the template with known transforms."""

import numpy as np
import pytest

from tests.support.heads import errors_mm, moved, other_contrast, rigid, small_atlas
from tumorseg.preparation.registration import register_rigid


@pytest.mark.parametrize(
    ("degrees", "shift_mm", "spacing_mm"),
    [(5, (6, -9, 4), (3, 3, 3)), (20, (20, -28, 20), (3, 3, 3)), (12, (9, 3, -6), (2, 2, 6))],
)
def test_a_known_transform_is_found(degrees, shift_mm, spacing_mm):
    fixed = small_atlas().image
    true = rigid(degrees, shift_mm)
    moving = moved(other_contrast(fixed), true, spacing_mm)
    errors = errors_mm(register_rigid(fixed, moving).matrix, true)
    assert np.median(errors) < 1
    assert errors.max() < 2


def test_images_on_equal_grids_are_registered_where_they_overlap_best():
    fixed = small_atlas().image
    moving = other_contrast(fixed)
    assert errors_mm(register_rigid(fixed, moving).matrix, np.eye(4)).max() < 0.5


def test_a_cropped_image_is_registered():
    fixed = small_atlas().image
    true = rigid(6, (3, 4, 5))
    moving = moved(other_contrast(fixed), true)
    lower_half = type(moving)(moving.array[:, :, : moving.shape[2] // 2], moving.affine)
    assert np.median(errors_mm(register_rigid(fixed, lower_half).matrix, true)) < 2


def test_a_registration_has_the_same_bits_each_time_and_prints_nothing(capfd):
    fixed = small_atlas().image
    moving = moved(other_contrast(fixed), rigid(5, (6, -9, 4)))
    one, other = (register_rigid(fixed, moving).matrix for _ in range(2))
    assert (one == other).all()
    assert capfd.readouterr() == ("", "")


def test_the_matrix_is_rigid():
    fixed = small_atlas().image
    matrix = register_rigid(fixed, moved(other_contrast(fixed), rigid(5, (6, -9, 4)))).matrix
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix[:3, :3]) > 0
    assert matrix[3].tolist() == [0, 0, 0, 1]
