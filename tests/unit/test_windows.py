from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import trying
from tumorseg.inference.windows import gaussian, windows


@trying(200)
@given(st.integers(16, 100), st.integers(2, 12), st.floats(0, 0.9))
def test_windows_cover_every_voxel_with_the_overlap_that_is_asked(side, eighths, overlap):
    length = min(side, 8 * eighths)
    starts = [place[0].start for place in windows((side,), (length,), overlap)]
    assert (starts[0], starts[-1]) == (0, side - length)
    assert all(after - before <= max(1, length * (1 - overlap)) for before, after in pairwise(starts))


def test_no_window_is_taken_twice():
    places = list(windows((40, 16, 24), (16, 16, 16), 0.5))
    assert len(places) == 4 * 1 * 2
    assert len({tuple(part.start for part in place) for place in places}) == len(places)


def test_a_window_counts_most_in_its_middle_and_a_little_everywhere():
    weights = gaussian((16, 24, 8)).numpy()
    assert weights.shape == (16, 24, 8)
    assert np.unravel_index(weights.argmax(), weights.shape) == (7, 11, 3)
    assert weights.min() > 0
    np.testing.assert_allclose(weights, weights[::-1, ::-1, ::-1])


@pytest.mark.parametrize("side", [16, 17, 31])
def test_as_few_windows_as_that_takes(side):
    assert len(list(windows((side,), (16,), 0))) == -(-side // 16)
