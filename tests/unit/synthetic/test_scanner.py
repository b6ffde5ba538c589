from dataclasses import replace

import numpy as np
import pytest

from tumorseg.synthetic.scanner import Scan, draw_scans, scan_channel

PLAIN = Scan(
    bias=0,
    bias_mm=80,
    grain=0,
    shift_mm=(0, 0, 0),
    blur_mm=0,
    slice_axis=None,
    thickness_mm=3,
    noise=0,
    noise_blur=0,
    gamma=1,
    saturation=100,
    scale=1000,
    missing=None,
)
BRAIN = np.zeros((16, 16, 16), bool)
BRAIN[2:14, 2:14, 2:14] = True
SIGNAL = np.where(BRAIN, np.random.default_rng(0).uniform(0.5, 1.5, BRAIN.shape), 0).astype(np.float32)


def scan(signal=SIGNAL, **changes):
    return scan_channel(signal, BRAIN, 2.0, replace(PLAIN, **changes), np.random.default_rng(1))


def test_a_plain_scan_is_the_scaled_signal():
    np.testing.assert_array_equal(scan(), np.rint(1000 * SIGNAL))


@pytest.mark.parametrize(
    "change",
    [
        {"bias": 0.2},
        {"grain": 0.05},
        {"shift_mm": (1.0, 0.0, 0.0)},
        {"blur_mm": 2.0},
        {"slice_axis": 2, "thickness_mm": 6.0},
        {"noise": 0.05},
        {"noise": 0.05, "noise_blur": 0.7},
        {"gamma": 1.3},
        {"saturation": 97.0},
        {"missing": (0, True, 0.3)},
    ],
)
def test_each_effect_changes_the_image_but_not_the_background(change):
    changed = scan(**change)
    assert (changed != scan()).any()
    assert not changed[~BRAIN].any()
    if "missing" not in change:
        assert (changed[BRAIN] > 0).all()


def test_blur_and_thick_slices_do_not_darken_the_surface():
    flat = BRAIN.astype(np.float32)
    for change in ({"blur_mm": 3.0}, {"slice_axis": 0, "thickness_mm": 7.0}):
        np.testing.assert_allclose(scan(flat, **change)[BRAIN], 1000, atol=1)


def test_thick_slices_blur_only_along_their_axis():
    smooth = scan(slice_axis=2, thickness_mm=6.0).astype(float)
    inner = (slice(3, 13),) * 3
    steps = [np.abs(np.diff(smooth[inner], axis=axis)).mean() for axis in range(3)]
    assert steps[2] < 0.5 * min(steps[:2])


def test_the_noise_has_the_given_strength_also_after_its_blur():
    flat = 2 * BRAIN.astype(np.float32)
    for blur in (0, 0.7):
        assert abs(scan(flat, noise=0.05, noise_blur=blur)[BRAIN].std() - 50) < 6


def test_a_missing_slab_is_background():
    seen = scan(missing=(0, True, 0.25))
    assert not seen[11:].any()
    assert (seen[2:11][BRAIN[2:11]] > 0).all()


def test_drawn_scans_cover_all_effects():
    scans = [drawn for seed in range(100) for drawn in draw_scans("abc", np.random.default_rng(seed)).values()]
    assert {drawn.slice_axis for drawn in scans} == {None, 0, 1, 2}
    assert 0.4 < np.mean([drawn.slice_axis is not None for drawn in scans]) < 0.75
    assert 0 < np.mean([drawn.missing is not None for drawn in scans]) < 0.1
    assert any(any(drawn.shift_mm) for drawn in scans)
    assert any(drawn.saturation < 100 for drawn in scans)
