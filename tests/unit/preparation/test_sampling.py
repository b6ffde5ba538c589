"""Sampling of images on other grids."""

import numpy as np
import pytest

from tumorseg.preparation.sampling import Image, VoxelGrid, inside, sample


@pytest.mark.parametrize("order", [1, 3])
def test_an_image_on_its_own_grid_does_not_change(order):
    image = Image(np.random.default_rng(0).random((4, 5, 6)).astype(np.float32), np.diag([-1.0, 2.0, 3.0, 1.0]))
    np.testing.assert_allclose(sample(image, image, np.eye(4), order=order), image.array, rtol=1e-4)


def test_a_matrix_maps_points_of_the_grid_to_points_of_the_image():
    image = Image(np.zeros((8, 8, 8), np.float32), np.eye(4))
    image.array[5, 3, 4] = 1
    shift = np.eye(4)
    shift[:3, 3] = 2, 1, -1
    assert np.argwhere(sample(image, VoxelGrid((8, 8, 8), np.eye(4)), shift)).tolist() == [[3, 2, 5]]


def test_a_thick_voxel_is_the_mean_over_its_thickness():
    image = Image(np.broadcast_to(np.arange(12, dtype=np.float32), (2, 2, 12)) ** 2, np.eye(4))
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    affine[2, 3] = 1.5
    thick = sample(image, VoxelGrid((2, 2, 3), affine), np.eye(4))
    np.testing.assert_allclose(thick[0, 0], image.array[0, 0].reshape(3, 4).mean(axis=1))


def test_fine_voxels_are_not_aliased():
    stripes = np.broadcast_to((np.arange(12) % 2).astype(np.float32)[:, None, None], (12, 3, 3))
    affine = np.diag([2.0, 1.0, 1.0, 1.0])
    affine[0, 3] = 0.5
    np.testing.assert_allclose(sample(Image(stripes, np.eye(4)), VoxelGrid((6, 3, 3), affine), np.eye(4)), 0.5)


def test_the_field_of_view_ends_half_a_voxel_beyond_the_last_centre():
    image = VoxelGrid((4, 4, 4), np.diag([1.0, 1.0, 5.0, 1.0]))
    affine = np.eye(4)
    affine[2, 3] = -4
    shown = inside(image, VoxelGrid((4, 4, 30), affine), np.eye(4))[0, 0]
    assert np.flatnonzero(shown).tolist() == list(range(2, 22))  # from -2 to 17 mm
