import numpy as np
import pytest
from scipy import ndimage

from tumorseg.demo.anatomy import cohort_grid, deform_template, load_template
from tumorseg.demo.random_fields import Purpose, generator
from tumorseg.demo.tumour import arrival_times, grow_tumour

SPACING_MM = 4.0


@pytest.fixture(scope="module")
def anatomy():
    template = load_template(SPACING_MM)
    return deform_template(template, cohort_grid(template, SPACING_MM), generator((3, 0), Purpose.DEFORMATION))


def grow(anatomy, *, foci=1, enhancing=True, time_point=0):
    rng = generator((3, 0), Purpose.TUMOUR)
    return grow_tumour(anatomy, SPACING_MM, foci=foci, enhancing=enhancing, time_point=time_point, rng=rng)


def test_travel_time_is_distance_over_speed():
    times = arrival_times(np.full((5, 1, 1), 2, np.float32), 3.0, (0, 0, 0))
    np.testing.assert_allclose(times[:, 0, 0], [0, 1.5, 3, 4.5, 6])


def test_voxels_behind_a_barrier_are_never_reached():
    speed = np.ones((5, 3, 3), np.float32)
    speed[2] = 0
    times = arrival_times(speed, 1.0, (0, 1, 1))
    assert np.isfinite(times[:2]).all()
    assert np.isinf(times[2:]).all()


def test_growth_prefers_white_matter(anatomy):
    grown = grow(anatomy) > 0
    centre = np.array(ndimage.center_of_mass(grown))[:, None, None, None]
    distance = np.where(anatomy.brain, np.linalg.norm(np.indices(grown.shape) - centre, axis=0), np.inf)
    ball = distance <= np.sort(distance, axis=None)[grown.sum() - 1]
    assert anatomy.white[grown].mean() > anatomy.white[ball].mean()


def test_the_rim_surrounds_the_necrosis_and_the_tumour_lies_in_the_brain(anatomy):
    mask = grow(anatomy)
    around = ndimage.binary_dilation(mask == 1) & (mask != 1) & anatomy.brain
    assert (mask[around] == 4).mean() > 0.9
    assert anatomy.brain[mask > 0].all()
    assert set(np.unique(mask)) == {0, 1, 2, 4}


def test_without_enhancement_the_whole_core_is_label_1(anatomy):
    with_rim, without = grow(anatomy), grow(anatomy, enhancing=False)
    np.testing.assert_array_equal(without == 1, np.isin(with_rim, (1, 4)))
    assert not (without == 4).any()


def test_two_foci_are_two_components_with_a_core_each(anatomy):
    mask = grow(anatomy, foci=2)
    components, count = ndimage.label(mask > 0, structure=np.ones((3, 3, 3)))
    assert count == 2
    assert all({1, 2, 4} <= set(mask[components == focus]) for focus in (1, 2))


def test_the_tumour_is_half_again_as_large_at_the_second_time_point(anatomy):
    first, second = grow(anatomy) > 0, grow(anatomy, time_point=1) > 0
    assert second[first].all()
    assert second.sum() == pytest.approx(1.5 * first.sum(), abs=1)
