from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from tumorseg.metrics.components import connected_components


@pytest.mark.parametrize("shape", [*product((1, 2, 3, 5), repeat=3), (1, 1, 60), (60, 1, 2), (7, 7, 7)])
def test_the_most_components_of_a_shape_are_numbered(shape):
    mask = np.zeros(shape, bool)
    mask[::2, ::2, ::2] = True
    numbers, count = connected_components(mask)
    assert count == mask.sum()
    assert numbers[mask].tolist() == [*range(1, count + 1)]
    assert not numbers[~mask].any()


@pytest.mark.parametrize("seed", range(20))
def test_components_equal_those_of_scipy(seed):
    mask = np.random.default_rng(seed).random((9, 10, 11)) < 0.05
    numbers, count = connected_components(mask)
    expected, expected_count = ndimage.label(mask, np.ones((3, 3, 3), bool))
    assert count == expected_count
    assert np.array_equal(numbers, expected)


def test_an_empty_mask_has_none():
    numbers, count = connected_components(np.zeros((2, 3, 4), bool))
    assert (count, numbers.any()) == (0, False)
