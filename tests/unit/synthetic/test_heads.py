import numpy as np

from tests.unit.synthetic.conftest import SPACING_MM
from tumorseg.demo.anatomy import cohort_grid
from tumorseg.synthetic.brain_outline import strip_skull
from tumorseg.synthetic.displacement import push_outwards, shifted_positions
from tumorseg.synthetic.heads import random_positions, sample_anatomy, ventricles


def positions(template, seed):
    return random_positions(cohort_grid(template, SPACING_MM), np.random.default_rng(seed))[0]


def test_heads_differ_in_size_and_side(template):
    drawn = [positions(template, seed) for seed in range(12)]
    volumes = [sample_anatomy(template, drawn_positions).brain.sum() for drawn_positions in drawn]
    assert np.std(volumes) / np.mean(volumes) > 0.02
    directions = {np.sign(drawn_positions[0, -1, 5, 5] - drawn_positions[0, 0, 5, 5]) for drawn_positions in drawn}
    assert directions == {-1, 1}


def test_fractions_of_the_tissues_sum_to_one_in_the_brain(anatomy):
    total = anatomy.grey + anatomy.white + anatomy.csf
    np.testing.assert_allclose(total[anatomy.brain], 1, atol=1e-5)
    assert not total[~anatomy.brain].any()


def test_a_higher_power_of_the_matter_widens_the_sulci(template):
    points = positions(template, 1)
    young, old = (sample_anatomy(template, points, matter_power=power) for power in (1.0, 1.6))
    np.testing.assert_array_equal(young.brain, old.brain)
    assert old.csf.sum() > 1.1 * young.csf.sum()


def test_ventricles_are_fluid_inside_the_brain(anatomy):
    inside = ventricles(anatomy)
    assert inside.any()
    assert (anatomy.csf[inside] > 0.6).all()


def test_tissue_moves_away_from_a_growing_region():
    region = np.zeros((21, 21, 21), bool)
    region[9:12, 9:12, 9:12] = True
    depth_mm = np.full(region.shape, 100.0)
    shift = push_outwards(region, depth_mm, 2.0, shift_mm=3, reach_mm=8)
    assert np.abs(shift).max() <= 3.001
    assert shift[0, 13, 10, 10] > 1  # to the right of it, to the right
    assert shift[0, 7, 10, 10] < -1
    back = push_outwards(region, depth_mm, 2.0, shift_mm=-3, reach_mm=8)
    np.testing.assert_allclose(back, -shift)


def test_no_tissue_moves_at_the_surface_or_far_more_than_the_reach():
    region = np.zeros((15, 15, 15), bool)
    region[7, 7, 7] = True
    assert not push_outwards(region, np.zeros(region.shape), 2.0, shift_mm=3, reach_mm=8).any()
    wild = push_outwards(region, np.full(region.shape, 100.0), 2.0, shift_mm=100, reach_mm=8)
    assert np.abs(wild).max() <= 8 * 0.56


def test_shifted_tissue_comes_from_where_it_was():
    at = np.zeros((3, 2, 2, 2), np.float32)
    shift = np.zeros((3, 2, 2, 2), np.float32)
    shift[0] = 4
    moved = shifted_positions(at, shift, np.eye(3), np.array([-1.0, -1.0, 1.0]))
    np.testing.assert_array_equal(moved[:, 0, 0, 0], [4, 0, 0])


def test_skull_stripping_varies_and_may_leave_remnants(anatomy):
    heads = [strip_skull(anatomy, SPACING_MM, np.random.default_rng(seed)) for seed in range(12)]
    kept = [head.anatomy.brain.sum() for head in heads]
    assert len(set(kept)) > 8
    assert any(head.remnants.any() for head in heads)
    assert not all(head.remnants.any() for head in heads)
    for head in heads:
        assert not (head.remnants & ~head.anatomy.brain).any()
        inside = head.anatomy.brain
        np.testing.assert_allclose((head.anatomy.grey + head.anatomy.white + head.anatomy.csf)[inside], 1, atol=1e-5)
