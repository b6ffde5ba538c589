import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import hypothesis_settings
from tests.support.random_masks import blob_pair, embed_in_grid, seeds, spacings
from tests.support.reference_metrics import deepmind_hausdorff95, deepmind_surface_dice
from tumorseg.metrics.surface import SurfaceDistances, nearest_distances, surface_distances

MILLIMETRE = (1.0, 1.0, 1.0)
tolerances = st.sampled_from([0, 0.5, 1, 1.5, 2])


def scores(reference, prediction, spacing_mm, tolerance_mm=1.0):
    surfaces = surface_distances(reference, prediction, spacing_mm)
    return surfaces.hausdorff95(), surfaces.surface_dice(tolerance_mm)


def box(start: int, stop: int):
    mask = np.zeros((30, 20, 20), bool)
    mask[start:stop, 5:15, 5:15] = True
    return mask


@hypothesis_settings(300)
@given(seed=seeds, spacing_mm=spacings)
def test_hd95_equals_deepminds_package(seed, spacing_mm):
    masks = blob_pair(seed)
    found = surface_distances(*masks, spacing_mm).hausdorff95()
    assert found == pytest.approx(deepmind_hausdorff95(*masks, spacing_mm), rel=1e-9)


@hypothesis_settings(300)
@given(seed=seeds, spacing_mm=spacings, tolerance_mm=tolerances)
def test_surface_dice_equals_deepminds_package(seed, spacing_mm, tolerance_mm):
    masks = blob_pair(seed)
    found = surface_distances(*masks, spacing_mm).surface_dice(tolerance_mm)
    assert found == pytest.approx(deepmind_surface_dice(*masks, spacing_mm, tolerance_mm), rel=1e-9)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, tolerance_mm=tolerances)
def test_reference_and_prediction_can_be_swapped(seed, spacing_mm, tolerance_mm):
    one, other = blob_pair(seed)
    assert scores(one, other, spacing_mm, tolerance_mm) == pytest.approx(
        scores(other, one, spacing_mm, tolerance_mm), rel=1e-12
    )


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, axis=st.integers(0, 2))
def test_a_flip_changes_nothing(seed, spacing_mm, axis):
    masks = blob_pair(seed)
    flipped = [np.flip(mask, axis) for mask in masks]
    assert scores(*flipped, spacing_mm) == pytest.approx(scores(*masks, spacing_mm), rel=1e-12)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, offset=st.tuples(*[st.integers(0, 26)] * 3))
def test_a_shift_in_a_larger_volume_changes_nothing(seed, spacing_mm, offset):
    masks = blob_pair(seed)
    shifted = [embed_in_grid(mask, offset) for mask in masks]
    assert scores(*shifted, spacing_mm) == pytest.approx(scores(*masks, spacing_mm), rel=1e-12)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_swapped_axes_with_their_spacing_change_nothing(seed, spacing_mm):
    masks = blob_pair(seed)
    turned = [mask.transpose(2, 0, 1) for mask in masks]
    x, y, z = spacing_mm
    assert scores(*turned, (z, x, y)) == pytest.approx(scores(*masks, spacing_mm), rel=1e-9)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, tolerance_mm=tolerances)
def test_equal_masks_are_perfect(seed, spacing_mm, tolerance_mm):
    mask, _ = blob_pair(seed)
    assert scores(mask, mask.copy(), spacing_mm, tolerance_mm) == (0, 1)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_distances_are_in_millimetres(seed, spacing_mm):
    masks = blob_pair(seed)
    twice = tuple(2 * edge for edge in spacing_mm)
    hd95, surface_dice = scores(*masks, spacing_mm, tolerance_mm=1.1)
    assert scores(*masks, twice, tolerance_mm=2.2) == pytest.approx((2 * hd95, surface_dice))


@pytest.mark.parametrize("spacing_mm", [MILLIMETRE, (2.5, 1.0, 1.0)])
def test_hd95_of_a_box_that_is_too_long_is_the_excess(spacing_mm):
    assert scores(box(5, 15), box(5, 18), spacing_mm)[0] == 3 * spacing_mm[0]


@pytest.mark.parametrize(("tolerance_mm", "all_near"), [(1.99, False), (2, True)])
def test_a_surface_at_exactly_the_tolerance_is_near(tolerance_mm, all_near):
    surface_dice = scores(box(5, 15), box(7, 17), MILLIMETRE, tolerance_mm)[1]
    assert (surface_dice == 1) == all_near


def test_distant_surfaces_have_surface_dice_0():
    assert scores(box(0, 5), box(20, 25), MILLIMETRE, 5)[1] == 0


def test_a_stray_voxel_does_not_change_hd95():
    stray = box(5, 25)
    stray[0, 0, 0] = True
    assert scores(box(5, 25), stray, MILLIMETRE)[0] == 0


@pytest.mark.parametrize(("areas", "hd95"), [(np.ones(20), 18), (np.arange(20.0), 19), (np.arange(20.0)[::-1], 15)])
def test_hd95_is_the_smallest_distance_that_covers_95_percent_of_the_area(areas, hd95):
    near = np.zeros(20)
    assert SurfaceDistances(np.arange(20.0), areas, near, np.ones(20)).hausdorff95() == hd95
    assert SurfaceDistances(near, np.ones(20), np.arange(20.0), areas).hausdorff95() == hd95


def test_distances_are_to_the_nearest_point():
    source, target = np.zeros((5, 5, 5), bool), np.zeros((5, 5, 5), bool)
    source[0, 0, 0] = source[0, 3, 0] = source[4, 4, 4] = True
    target[0, 0, 0] = target[0, 3, 4] = True
    assert nearest_distances(source, target, (1.0, 2.0, 0.5)).tolist() == [0, 2, np.sqrt(16 + 4)]
