"""Resampling to the network's grid and back."""

import numpy as np
import pytest

from tests.support.builders import TASK
from tests.support.case_files import check_case, image, real_data
from tumorseg.cohort.discovery import discover_cases
from tumorseg.metrics.overlap import overlaps
from tumorseg.preprocessing.normalisation import normalise_intensities, normalise_validated_case
from tumorseg.preprocessing.resampling import (
    ResampledGrid,
    ResampledSizeError,
    resample_image,
    resample_mask,
    resampled_grid,
    restore_probabilities,
    stored_settings,
    target_spacing_mm,
)

UNIT = (1.0, 1.0, 1.0)


def grid_of(shape, target_mm, *, spacing_mm=UNIT, box=None) -> ResampledGrid:
    grid = resampled_grid("case", shape, box or tuple((0, side) for side in shape), spacing_mm, target_mm)
    assert grid is not None
    return grid


def one_hot(mask, classes: int = 5):
    return np.stack([mask == label for label in range(classes)]).astype(np.float32)


def ball(shape, centre, radius):
    return sum((np.ogrid[tuple(map(slice, shape))][axis] - centre[axis]) ** 2 for axis in range(3)) < radius**2


def there_and_back(mask, grid):
    return restore_probabilities(one_hot(resample_mask(mask, grid)), grid).argmax(axis=0)


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "target_mm"),
    [
        ((240, 240, 155), UNIT, (2, 2, 2)),
        ((512, 512, 30), (0.45, 0.45, 5), (2, 2, 2)),
        ((96, 80, 62), (2.5, 2.5, 2.5), UNIT),
        ((7, 9, 3), (1.2, 0.7, 3.1), (1.5, 1.5, 2.5)),
    ],
)
def test_the_field_of_view_changes_by_at_most_half_a_voxel_at_each_end(shape, spacing_mm, target_mm):
    grid = grid_of(shape, target_mm, spacing_mm=spacing_mm)
    for side, old_mm, new_mm, new_side, first in zip(
        shape, spacing_mm, target_mm, grid.shape, grid.offset, strict=True
    ):
        start_mm = (first + 0.5) * old_mm - new_mm / 2
        assert abs(start_mm) <= new_mm / 2 + 1e-6
        assert abs(start_mm + new_side * new_mm - side * old_mm) <= new_mm / 2 + 1e-6


def test_the_margin_of_the_crop_does_not_move_the_voxels():
    narrow, wide = (grid_of((40, 40, 40), (2.5,) * 3, box=((first, 30),) * 3) for first in (11, 4))
    positions = [
        {round(box_start + grid.offset[0] + grid.step[0] * index, 6) for index in range(grid.shape[0])}
        for grid, box_start in ((narrow, 11), (wide, 4))
    ]
    assert positions[0] < positions[1]
    assert [grid.start for grid in (narrow, wide)] == [(4,) * 3, (2,) * 3]  # 11 / 2.5 and 4 / 2.5, rounded


def test_a_case_that_has_the_voxels_already_is_not_resampled():
    assert resampled_grid("case", (240, 240, 155), ((9, 200),) * 3, (1, 1, 0.9999), UNIT) is None


def test_an_axis_that_has_the_edge_already_keeps_its_voxels():
    volume = np.random.default_rng(0).normal(size=(1, 6, 8, 5)).astype(np.float16)
    grid = grid_of((6, 8, 5), (1, 2, 1))
    assert (grid.shape, grid.step, grid.offset) == ((6, 4, 5), (1, 2, 1), (0, 0.5, 0))
    pairs = volume.astype(np.float32).reshape(1, 6, 4, 2, 5).mean(axis=3)
    expected = (pairs - pairs.mean()) / pairs.std()
    np.testing.assert_allclose(resample_image(volume, grid), expected, atol=2e-3)


def test_a_box_thinner_than_a_voxel_becomes_one_voxel():
    grid = grid_of((140, 9, 9), (100, 1, 1), box=((120, 122), (0, 9), (0, 9)))
    assert grid.shape[0] == 1
    assert resample_mask(np.full((2, 9, 9), 2, np.uint8), grid).min() == 2


def test_a_header_with_huge_voxels_is_refused():
    with pytest.raises(ResampledSizeError, match=r"patient-7: with voxels of 1000 mm .* correct the voxel size"):
        resampled_grid("patient-7", (40, 40, 40), ((0, 40),) * 3, (1000, 1000, 1000), UNIT)


@pytest.mark.parametrize("target_mm", [(2, 2, 2), (2.5, 2.5, 2.5), (0.7, 0.7, 0.7), (3, 1, 0.5)])
def test_background_stays_exactly_0_and_does_not_mix_with_the_brain(target_mm):
    brain = ball((24, 26, 22), (11.5, 12.5, 10.5), 9)
    scores = np.where(brain, np.float16(3), np.float16(0))[None]
    scores[0][brain & (np.indices(brain.shape)[0] < 12)] = 1
    resampled = resample_image(scores, grid_of(brain.shape, target_mm))[0].astype(np.float32)
    corner = resampled[0, 0, 0]
    assert corner == 0
    inside = resampled[resampled != 0]
    # Two values became two values with linear transitions between them; no voxel is pulled towards the background.
    assert inside.min() == pytest.approx(-1, abs=0.15)
    assert inside.max() == pytest.approx(1, abs=0.15)
    assert inside.size * np.prod(target_mm) == pytest.approx(np.count_nonzero(brain), rel=0.06)


@pytest.mark.parametrize("target_mm", [(2, 2, 2), (0.6, 0.6, 0.6)])
def test_the_resampled_brain_has_mean_0_and_deviation_1(target_mm):
    scores = normalise_intensities(image(shape=(20, 21, 22)), (0.5, 99.5))[0][None]
    resampled = resample_image(scores, grid_of((20, 21, 22), target_mm))
    brain = resampled[resampled != 0].astype(np.float64)
    assert brain.mean() == pytest.approx(0, abs=1e-3)
    assert brain.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("value", [0, 3])
def test_a_channel_without_brain_or_of_a_single_value_becomes_0(value):
    channel = np.full((1, 8, 8, 8), value, np.float16)
    assert not resample_image(channel, grid_of((8, 8, 8), (2, 1.5, 0.7))).any()


def centres_mm(sides, edges_mm, starts):
    """Return the centres of the voxels of a grid along each axis, for broadcasting (3, ...)."""
    axes = [(np.arange(side) + start + 0.5) * edge for side, edge, start in zip(sides, edges_mm, starts, strict=True)]
    return np.meshgrid(*axes, indexing="ij")


BOX = ((3, 29), (2, 25), (1, 23))
SPACINGS_MM = [(0.9, 1.1, 5), (2.5, 2.5, 2.5), (0.6, 3, 1.7)]


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
def test_a_bright_spot_of_an_image_keeps_its_place(spacing_mm):
    grid = grid_of((30, 28, 24), (2, 2, 2), spacing_mm=spacing_mm, box=BOX)
    spot_mm = [(start + stop) / 2 * edge + 0.3 for (start, stop), edge in zip(BOX, spacing_mm, strict=True)]
    cropped = centres_mm(grid.cropped_shape, spacing_mm, [start for start, _ in BOX])
    radii_mm = [max(1.5 * edge, 2.5) for edge in spacing_mm]
    square = sum(((at - spot) / radius) ** 2 for at, spot, radius in zip(cropped, spot_mm, radii_mm, strict=True))
    image = (1 + 50 * np.exp(-square / 2)).astype(np.float16)[None]
    found = resample_image(image, grid)[0].astype(np.float64)
    weights = found - np.median(found)
    resampled = centres_mm(grid.shape, (2, 2, 2), grid.start)
    np.testing.assert_allclose([(at * weights).sum() / weights.sum() for at in resampled], spot_mm, atol=0.1)


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
def test_restored_values_keep_their_place(spacing_mm):
    grid = grid_of((30, 28, 24), (2, 2, 2), spacing_mm=spacing_mm, box=BOX)
    resampled = np.stack(centres_mm(grid.shape, (2, 2, 2), grid.start)).astype(np.float32)
    expected = centres_mm(grid.cropped_shape, spacing_mm, [start for start, _ in BOX])
    inner = (slice(4, -4),) * 3  # values beyond the outer voxels continue
    for found, wanted in zip(restore_probabilities(resampled, grid), expected, strict=True):
        np.testing.assert_allclose(found[inner], wanted[inner], atol=0.2)  # a mean of whole voxels and parts
        assert found[inner].mean() == pytest.approx(wanted[inner].mean(), abs=0.03)


def test_fine_detail_is_averaged_and_does_not_become_noise():
    stripes = np.where(np.indices((24, 24, 24))[0] % 2, np.float16(1), np.float16(-1))[None]
    stripes[0, :12] += 4
    resampled = resample_image(stripes, grid_of((24, 24, 24), (3, 1, 1)))[0].astype(np.float32)
    assert np.ptp(resampled[:4]) < 0.4
    assert resampled[:4].mean() - resampled[4:].mean() > 1.5


def test_a_solid_tumour_of_several_labels_has_no_background_inside():
    mask = np.zeros((16, 16, 16), np.uint8)
    mask[2:14, 2:14, 2:14] = np.random.default_rng(0).choice(np.array([1, 2, 4], np.uint8), size=(12, 12, 12))
    resampled = resample_mask(mask, grid_of(mask.shape, (2, 2, 2)))
    assert set(np.unique(resampled[1:7, 1:7, 1:7])) == {1, 2, 4}
    assert np.count_nonzero(resampled) == 6**3


def test_equal_shares_get_the_label_of_the_nearest_voxel_the_lower_and_the_upper_one_in_turn():
    mask = np.zeros((8, 2, 2), np.uint8)
    mask[0:2], mask[2:4], mask[4:6], mask[6:8] = 1, 4, 1, 4
    resampled = resample_mask(mask, grid_of(mask.shape, (4, 1, 1)))
    assert [np.unique(plane).tolist() for plane in resampled] == [[1], [4]]


def test_no_label_is_invented_and_an_empty_mask_stays_empty():
    grid = grid_of((9, 9, 9), (1.3, 1.3, 1.3))
    assert not resample_mask(np.zeros((9, 9, 9), np.uint8), grid).any()
    assert set(np.unique(resample_mask(np.full((9, 9, 9), 4, np.uint8), grid))) == {4}


@pytest.mark.parametrize("target_mm", [(2, 2, 2), (0.8, 0.8, 0.8), (1, 1, 5), (1.7, 0.6, 3)])
def test_restored_probabilities_still_sum_to_1_and_unused_classes_stay_0(target_mm):
    grid = grid_of((14, 15, 16), target_mm)
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), grid.shape).astype(np.float32).transpose(3, 0, 1, 2)
    restored = restore_probabilities(np.insert(probabilities, 3, 0, axis=0), grid)
    assert restored.shape == (5, 14, 15, 16)
    np.testing.assert_allclose(restored.sum(axis=0), 1, atol=1e-5)
    assert not restored[3].any()


@pytest.mark.parametrize("target_mm", [(2, 2, 2), (2.5, 2.5, 2.5), (0.7, 0.7, 0.7), (1, 1, 3)])
def test_a_mask_keeps_its_place_and_size(target_mm):
    mask = np.zeros((40, 42, 38), np.uint8)
    mask[ball(mask.shape, (20, 18, 17), 14)] = 2
    mask[ball(mask.shape, (20, 18, 17), 9)] = 4
    back = there_and_back(mask, grid_of(mask.shape, target_mm))
    for label in (2, 4):
        both, one, other = (
            np.count_nonzero(found) for found in ((back == label) & (mask == label), back == label, mask == label)
        )
        assert 2 * both / (one + other) > 0.9
        assert one == pytest.approx(other, rel=0.12)
    centres = [np.argwhere(found > 0).mean(axis=0) for found in (mask, back)]
    np.testing.assert_allclose(*centres, atol=0.15)


def test_settings_are_stored_alike_however_they_are_written():
    plain = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 1}
    assert stored_settings({**plain, "spacing_mm": None}) == plain
    assert stored_settings({**plain, "spacing_mm": 2}) == stored_settings({**plain, "spacing_mm": [2, 2, 2.0]})
    assert target_spacing_mm(plain) is None
    assert target_spacing_mm({"spacing_mm": 2}) == (2, 2, 2)


@pytest.mark.parametrize("number", range(8))
def test_the_mask_of_a_real_case_survives_2_mm(number):
    root = real_data()
    result = check_case(root, discover_cases(root, TASK)[number], shape=None, labels="auto")
    settings = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 4, "spacing_mm": 2}
    case = normalise_validated_case(root, result, settings, task=TASK)
    restored = restore_probabilities(one_hot(case.mask), case.origin.resampled).argmax(axis=0).astype(np.uint8)
    assert overlaps(case.on_cropped_grid().mask, restored, TASK)["WT"].dice > 0.93
