"""Masks of the atlas on native grids."""

import numpy as np
import pytest

from tests.support.heads import rigid
from tumorseg.preparation.native_masks import native_mask, native_probabilities
from tumorseg.preparation.sampling import Image, VoxelGrid, inverse, sample


def ball_with_core(shape=(60, 60, 60)) -> np.ndarray:
    """Return an oedema (2) with an enhancing core (4) around a necrosis (1)."""
    distance = np.linalg.norm(np.indices(shape) - np.array([[[[28]]], [[[33]]], [[[30]]]]), axis=0)
    return np.select([distance < 5, distance < 9, distance < 16], [1, 4, 2], 0).astype(np.uint8)


def dice(one, other) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def test_a_mask_on_its_own_grid_does_not_change():
    mask = Image(ball_with_core(), np.diag([-1.0, -1.0, 1.0, 1.0]))
    assert (native_mask(mask, mask, np.eye(4)) == mask.array).all()


@pytest.mark.parametrize(("edge_mm", "least"), [(1.0, 0.96), (5.0, 0.9)])
def test_a_mask_survives_the_way_to_the_atlas_and_back(edge_mm, least):
    affine = np.diag([-1.0, 1.0, edge_mm, 1.0])
    native = VoxelGrid((60, 60, round(60 / edge_mm)), affine)
    mask = Image(ball_with_core(), np.diag([-1.0, 1.0, 1.0, 1.0]))
    truth = native_mask(mask, native, np.eye(4))
    to_native = rigid(15, (4, -3, 2))
    box = VoxelGrid((140, 140, 140), np.diag([1.0, 1.0, 1.0, 1.0]))
    box.affine[:3, 3] = -110, -60, -60
    indicators = [sample(Image((truth == label).astype(np.float32), affine), box, to_native) for label in (1, 2, 4)]
    share = np.stack(indicators)
    atlas = np.where(share.sum(axis=0) >= 0.5, np.array([1, 2, 4])[share.argmax(axis=0)], 0).astype(np.uint8)
    back = native_mask(Image(atlas, box.affine), native, inverse(to_native))
    assert dice(back > 0, truth > 0) > least


def test_there_is_no_background_between_two_labels():
    labels = np.ones((20, 20, 20), np.uint8)
    labels[10:] = 2
    turned = native_mask(Image(labels, np.eye(4)), VoxelGrid((10, 10, 10), np.eye(4)), rigid_inside())
    assert set(np.unique(turned)) == {1, 2}


def rigid_inside() -> np.ndarray:
    """Return a matrix that puts a grid of 10 mm obliquely within a volume of 20 mm."""
    turn = rigid(25, (0, 0, 0))
    turn[:3, 3] = np.array([9.5, 9.5, 9.5]) - turn[:3, :3] @ [4.5, 4.5, 4.5]
    return turn


def test_a_tumour_outside_the_field_of_view_leaves_an_empty_mask():
    mask = Image(ball_with_core(), np.eye(4))
    far = np.eye(4)
    far[:3, 3] = 500
    assert native_mask(mask, VoxelGrid((8, 8, 8), np.eye(4)), far).sum() == 0


def test_probabilities_are_those_of_the_atlas_and_1_for_background_beyond_it():
    array = np.zeros((6, 6, 6, 3), np.float32)
    array[..., 1] = 0.25
    array[..., 0] = 0.75
    grid = VoxelGrid((4, 4, 12), np.eye(4))
    values = native_probabilities(Image(array, np.eye(4)), grid, np.eye(4))
    np.testing.assert_allclose(values[1, 1, 2], [0.75, 0.25, 0])
    np.testing.assert_allclose(values[1, 1, 9], [1, 0, 0])
