"""The longest segments inside an outline, compared with a search over all pairs and lines in exact numbers."""

from fractions import Fraction
from itertools import combinations, pairwise
from math import ceil, floor, hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.builders import hypothesis_settings
from tumorseg.clinical.outline import longest_perpendicular, longest_segment, trace_outline

MILLIMETRE = np.eye(2)
PLANES = hnp.arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 5))).filter(np.any)
VOXELS = st.sampled_from([(1.0, 1.0, 0.0), (0.5, 2.0, 0.0), (1.0, 0.8, 0.3)]).map(
    lambda sides: np.array([[sides[0], 0.0], [sides[2], sides[1]]])
)


def measured(plane, voxel_mm=MILLIMETRE):
    """Return the two segments in voxels and their lengths."""
    outline = trace_outline(np.asarray(plane, bool), voxel_mm)
    longest = longest_segment(outline)
    perpendicular = longest_perpendicular(outline, longest)
    return longest, perpendicular, outline.length_mm(longest), outline.length_mm(perpendicular)


def is_lesion(plane, x, y) -> bool:
    return 0 <= x < plane.shape[0] and 0 <= y < plane.shape[1] and bool(plane[x, y])


def is_allowed(plane, x, y) -> bool:
    """Whether one of the voxel centres around a point is in the lesion."""
    return any(is_lesion(plane, i, j) for i in {floor(x), ceil(x)} for j in {floor(y), ceil(y)})


def midpoints(plane) -> list[tuple[Fraction, Fraction]]:
    """Return the midpoints between neighbouring voxels inside and outside."""
    half = Fraction(1, 2)
    width, height = plane.shape
    found = []
    for x in range(-1, width + 1):
        for y in range(-1, height + 1):
            found += [(x + half, Fraction(y))] if is_lesion(plane, x, y) != is_lesion(plane, x + 1, y) else []
            found += [(Fraction(x), y + half)] if is_lesion(plane, x, y) != is_lesion(plane, x, y + 1) else []
    return found


def stays_inside(plane, start, end) -> bool:
    """Whether all points of a segment are allowed: one is tested in each piece between two lines of the grid."""
    steps = {Fraction(0), Fraction(1)}
    for first, last in zip(start, end, strict=True):
        for line in range(ceil(min(first, last)), floor(max(first, last)) + 1):
            steps |= {(line - first) / (last - first)} if first != last else set()
    ordered = sorted(steps)
    middles = [(one + other) / 2 for one, other in pairwise(ordered)]
    points = [tuple(a + step * (b - a) for a, b in zip(start, end, strict=True)) for step in middles]
    return all(is_allowed(plane, *point) for point in points)


def longest_of_all_pairs(plane, voxel_mm) -> float:
    lengths = [
        (np.linalg.norm(np.subtract(end, start).astype(float) @ voxel_mm), start, end)
        for start, end in combinations(midpoints(plane), 2)
    ]
    return next(length for length, start, end in sorted(lengths, reverse=True) if stays_inside(plane, start, end))


def is_enclosed(plane, x, y) -> bool:
    """Whether a point is within the outline: in no triangle that the outline cuts off around an outside voxel."""
    i, j = floor(x), floor(y)
    corners = {(a, b): is_lesion(plane, a, b) for a in (i, i + 1) for b in (j, j + 1)}
    outside = [corner for corner, inside in corners.items() if not inside]
    if len(outside) == 4:
        return False
    distances = {corner: abs(x - corner[0]) + abs(y - corner[1]) for corner in corners}
    if len(outside) == 3:
        return all(distances[corner] <= 0.5 for corner, inside in corners.items() if inside)
    if len(outside) == 2 and outside[0][0] == outside[1][0]:
        return abs(x - outside[0][0]) >= 0.5
    if len(outside) == 2 and outside[0][1] == outside[1][1]:
        return abs(y - outside[0][1]) >= 0.5
    return all(distances[corner] >= 0.5 for corner in outside)


def longest_of_many_lines(plane, voxel_mm, segment, step_mm=0.05) -> float:
    """Return the length of the longest perpendicular segment, sampled in steps."""
    along = (segment[1] - segment[0]) @ voxel_mm
    along /= np.linalg.norm(along)
    across, back = np.array([-along[1], along[0]]), np.linalg.inv(voxel_mm)
    corners = np.array([[-1, -1], [-1, plane.shape[1]], [plane.shape[0], -1], plane.shape]) @ voxel_mm
    positions, heights = (
        np.arange((corners @ axis).min(), (corners @ axis).max(), step_mm) for axis in (along, across)
    )
    longest = 0.0
    for position in positions:
        start = None
        for height in heights:
            x, y = (position * along + height * across) @ back
            if not is_allowed(plane, x, y):
                start = None
            elif is_enclosed(plane, x, y):
                start = height if start is None else start
                longest = max(longest, height - start)
    return longest


@hypothesis_settings(60)
@given(PLANES, VOXELS)
def test_the_longest_segment_is_the_longest_of_all_pairs(plane, voxel_mm):
    assert measured(plane, voxel_mm)[2] == pytest.approx(longest_of_all_pairs(plane, voxel_mm))


@hypothesis_settings(12)
@given(PLANES, VOXELS)
def test_the_perpendicular_is_the_longest_of_many_lines(plane, voxel_mm):
    longest, perpendicular, _, length_mm = measured(plane, voxel_mm)
    first, second = ((ends[1] - ends[0]) @ voxel_mm for ends in (longest, perpendicular))
    assert first @ second == pytest.approx(0, abs=1e-9)
    sampled_mm = longest_of_many_lines(plane, voxel_mm, longest)
    assert sampled_mm - 1e-4 <= length_mm <= sampled_mm + 0.4


@pytest.mark.parametrize(("sides", "expected"), [((1, 1), (1, 1)), ((1, 7), (7, 1))])
def test_a_row_of_voxels_is_as_long_as_their_edges(sides, expected):
    assert measured(np.ones(sides))[2:] == pytest.approx(expected, abs=1e-5)


def test_a_segment_does_not_cross_a_gap_of_two_voxels():
    assert measured([[1, 1, 1, 0, 1, 1]])[2] == 6
    assert measured([[1, 1, 1, 0, 0, 1]])[2] == 3


def test_segments_of_an_l_stay_in_it():
    plane = np.zeros((30, 30), bool)
    plane[:4] = plane[:, :4] = True
    assert measured(plane)[2] == pytest.approx(hypot(30, 3), abs=1)


def test_segments_do_not_cross_the_necrosis_of_a_ring():
    x, y = np.mgrid[-25:26, -25:26]
    ring = (np.hypot(x, y) <= 20) & (np.hypot(x, y) > 14)
    chord_mm = 2 * np.sqrt(20**2 - 14**2)
    assert chord_mm <= measured(ring)[2] <= chord_mm + 4 < 40
