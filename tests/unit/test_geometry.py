import numpy as np
import pytest

from tumorseg.geometry import bounding_box, box_slices


def test_the_margin_of_a_box_stays_within_the_grid():
    mask = np.zeros((10, 10, 10), bool)
    mask[3:5, 0, 8] = True
    assert bounding_box(mask) == ((3, 5), (0, 1), (8, 9))
    assert bounding_box(mask, 2) == ((1, 7), (0, 3), (6, 10))


def test_the_box_of_an_empty_mask_is_the_whole_grid():
    assert bounding_box(np.zeros((4, 5, 6), bool), 2) == ((0, 4), (0, 5), (0, 6))


@pytest.mark.parametrize("seed", range(20))
def test_the_box_is_the_smallest_around_all_voxels(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((5, 6, 7)) < rng.choice([0.01, 0.05, 0.3])
    mask[2, 3, 4] = True
    voxels = np.argwhere(mask)
    assert bounding_box(mask) == tuple(zip(voxels.min(axis=0), voxels.max(axis=0) + 1, strict=True))


def test_a_box_becomes_an_index():
    volume = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(volume[box_slices(((0, 1), (1, 3), (2, 4)))], volume[:1, 1:, 2:])
