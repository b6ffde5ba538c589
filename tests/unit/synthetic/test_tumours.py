import numpy as np
import pytest
from scipy import ndimage

from tests.unit.synthetic.conftest import SPACING_MM
from tumorseg.synthetic.core_outlines import core_outline
from tumorseg.synthetic.core_patterns import fill_core
from tumorseg.synthetic.oedema import grow_oedema
from tumorseg.synthetic.tissues import Tissue
from tumorseg.synthetic.tumour_plan import PATTERNS, plan_foci


@pytest.fixture(scope="module")
def plans(anatomy):
    depth_mm = ndimage.distance_transform_edt(anatomy.brain, sampling=SPACING_MM)
    return [plan_foci(anatomy, depth_mm, SPACING_MM, np.random.default_rng(seed)) for seed in range(300)]


def test_volumes_are_those_of_real_cohorts(plans):
    totals = [sum(focus.core_ml + focus.oedema_ml for focus in plan) for plan in plans]
    assert 65 < np.median(totals) < 100
    assert min(totals) >= 6
    assert max(totals) < 260.1


def test_numbers_patterns_and_sites_vary(plans, anatomy):
    counts = np.array([len(plan) for plan in plans])
    assert 0.65 < (counts == 1).mean() < 0.85
    assert counts.max() > 3
    assert {focus.pattern for plan in plans for focus in plan} == set(PATTERNS)
    assert any(focus.butterfly for plan in plans for focus in plan)
    assert all(anatomy.brain[focus.centre] for plan in plans for focus in plan)
    sides = np.array([anatomy.position[0][plan[0].centre] for plan in plans])
    assert 0.35 < (sides > 0).mean() < 0.65


def outline(anatomy, seed, *, volume_ml=60, crosses_midline=False, x_mm=-35):
    distance = np.linalg.norm(anatomy.position - np.array([x_mm, 0, 25])[:, None, None, None], axis=0)
    centre = tuple(int(i) for i in np.unravel_index(distance.argmin(), distance.shape))
    rng = np.random.default_rng(seed)
    return core_outline(anatomy, SPACING_MM, centre, volume_ml, crosses_midline=crosses_midline, rng=rng)


def test_a_core_is_connected_in_the_brain_and_about_as_large_as_planned(anatomy):
    for seed in range(8):
        core = outline(anatomy, seed)
        assert anatomy.brain[core].mean() > 0.98  # filled holes may be outside
        assert ndimage.label(core)[1] == 1
        assert 35 < core.sum() * SPACING_MM**3 / 1000 < 70


def test_only_a_butterfly_crosses_the_midline(anatomy):
    def far_side(**options):
        side = anatomy.position[0] > 6
        return np.mean([outline(anatomy, seed, **options)[side].sum() for seed in range(6)])

    assert far_side(crosses_midline=True, x_mm=-4) > 10
    assert far_side(x_mm=-20) < 3


def ball(radius=9):
    grid = np.indices((2 * radius + 5,) * 3) - radius - 2
    return np.linalg.norm(grid, axis=0) <= radius


def shares(pattern, seeds=12):
    inside = ball()
    filled = [fill_core(inside, pattern, 2.0, np.random.default_rng(seed)) for seed in range(seeds)]
    return np.array([[np.mean(tissue[inside] == part) for part in Tissue] for tissue in filled])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_fills_the_core_and_nothing_else(pattern):
    inside = ball()
    tissue = fill_core(inside, pattern, 2.0, np.random.default_rng(1))
    np.testing.assert_array_equal(tissue > Tissue.OEDEMA, inside)
    assert not (tissue == Tissue.CAVITY).any()


def test_patterns_range_from_no_enhancement_to_enhancement_nearly_everywhere():
    enhancing = {pattern: shares(pattern)[:, Tissue.ENHANCING] for pattern in PATTERNS}
    assert not enhancing["dark"].any()
    assert 0 < enhancing["specks"].mean() < 0.06
    assert enhancing["enhancing"].mean() > 0.8
    assert enhancing["ring"].std() > 0.05
    assert all(enhancing[pattern].mean() > 0.05 for pattern in ("ring", "patchy", "cells", "enclosed", "nodule"))


def test_rings_enhance_at_the_border():
    inside = ball()
    border = inside & ~ndimage.binary_erosion(inside)
    deep = ndimage.binary_erosion(inside, iterations=5)
    enhancing = np.mean(
        [fill_core(inside, "ring", 2.0, np.random.default_rng(seed)) == Tissue.ENHANCING for seed in range(12)], axis=0
    )
    assert enhancing[border].mean() > 0.7
    assert enhancing[deep].mean() < 0.5


def test_cores_have_solid_tissue_fluid_and_blood():
    assert (shares("dark", 40)[:, [Tissue.SOLID, Tissue.FLUID, Tissue.BLOOD]].max(axis=0) > 0.02).all()


def test_oedema_surrounds_the_core_mostly_in_white_matter(anatomy):
    core = outline(anatomy, 1, volume_ml=20)
    oedema = grow_oedema(anatomy, core, SPACING_MM, 60, np.random.default_rng(1))
    assert abs(oedema.sum() * SPACING_MM**3 / 1000 - 60) < 1
    assert not (oedema & core).any()
    assert anatomy.brain[oedema].all()
    near = ndimage.binary_dilation(core | oedema, iterations=1) & anatomy.brain & ~core & ~oedema
    assert anatomy.white[oedema].mean() > anatomy.white[near].mean()


def test_no_oedema_has_no_voxels(anatomy):
    assert not grow_oedema(anatomy, outline(anatomy, 1), SPACING_MM, 0, np.random.default_rng(1)).any()
