import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from tests.support.builders import trying
from tumorseg.metrics.distances import nearest_distances

SPACINGS = [(1.0, 1.0, 1.0), (0.2, 0.2, 0.2), (1.0, 2.0, 0.5), (0.7, 0.7, 3.0)]


def points(seed: int, density: float) -> np.ndarray:
    """Points in a grid of 20x18x16, one of them at least."""
    rng = np.random.default_rng(seed)
    chosen = rng.random((20, 18, 16)) < density
    chosen[tuple(rng.integers(16, size=3))] = True
    return chosen


@trying(100)
@given(st.integers(0, 10_000), st.sampled_from(SPACINGS), st.sampled_from([0.0005, 0.01, 0.2]))
def test_distances_are_those_of_a_distance_map(seed, spacing, density):
    own, other = points(seed, 0.1), points(seed + 1, density)
    expected = ndimage.distance_transform_edt(~other, sampling=spacing)[own]
    np.testing.assert_allclose(nearest_distances(own, other, spacing), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", range(1, 10))
def test_equal_steps_are_equally_far_to_the_last_bit_wherever_they_are_taken(spacing, steps):
    found = set()
    for start in range(10):
        own, other = np.zeros((20, 3, 3), bool), np.zeros((20, 3, 3), bool)
        own[start, 1, 1] = other[start + steps, 1, 1] = True
        found |= {float(nearest_distances(own, other, spacing)[0]), float(nearest_distances(other, own, spacing)[0])}
    assert found == {steps * spacing[0]}
