import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from tests.support.builders import hypothesis_settings
from tumorseg.metrics.distances import nearest_distances

SPACINGS = [(1.0, 1.0, 1.0), (0.2, 0.2, 0.2), (1.0, 2.0, 0.5), (0.7, 0.7, 3.0)]


def random_points(seed: int, density: float) -> np.ndarray:
    """At least one point in a grid of 20x18x16."""
    rng = np.random.default_rng(seed)
    chosen = rng.random((20, 18, 16)) < density
    chosen[tuple(rng.integers(16, size=3))] = True
    return chosen


@hypothesis_settings(100)
@given(st.integers(0, 10_000), st.sampled_from(SPACINGS), st.sampled_from([0.0005, 0.01, 0.2]))
def test_distances_equal_a_distance_map(seed, spacing_mm, density):
    source, target = random_points(seed, 0.1), random_points(seed + 1, density)
    expected = ndimage.distance_transform_edt(~target, sampling=spacing_mm)[source]
    np.testing.assert_allclose(nearest_distances(source, target, spacing_mm), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("steps", range(1, 10))
def test_equal_steps_have_bit_identical_distances_everywhere(spacing_mm, steps):
    found = set()
    for start in range(10):
        source, target = np.zeros((20, 3, 3), bool), np.zeros((20, 3, 3), bool)
        source[start, 1, 1] = target[start + steps, 1, 1] = True
        found |= {
            float(nearest_distances(source, target, spacing_mm)[0]),
            float(nearest_distances(target, source, spacing_mm)[0]),
        }
    assert found == {steps * spacing_mm[0]}
