"""Each rule of the scores of BraTS 2025 and 2026, on small masks whose scores are known."""

import math
from dataclasses import astuple

import numpy as np
import pytest

from tumorseg.metrics.lesions_2026 import Detection, GlobalScores, PairScores, lesion_scores_2026

SHAPE = (40, 24, 20)
MILLIMETRE = (1.0, 1.0, 1.0)
EMPTY = np.zeros(SHAPE, bool)
NAN = math.nan
WORST_PAIRS = PairScores(0, NAN, 0, NAN, 373, NAN)


def box(*starts: int, size=(4, 4, 4)):
    mask = EMPTY.copy()
    mask[tuple(slice(start, start + side) for start, side in zip(starts, size, strict=True))] = True
    return mask


def scores(reference, prediction, spacing_mm=MILLIMETRE, **options):
    return lesion_scores_2026(reference, prediction, spacing_mm, **options)


def same(first, second) -> bool:
    return np.array_equal(astuple(first), astuple(second), equal_nan=True)


LESION = box(4, 4, 4)
FAR = box(20, 4, 4)
SMALL = box(30, 4, 4, size=(3, 3, 2))  # 18 mm³


def test_a_perfect_prediction_is_perfect():
    found = scores(LESION | FAR, LESION | FAR)
    assert found.lesions == Detection(found=2, missed=0, false=0)
    assert found.lesions.f1 == 1
    assert found.pairs == found.large_pairs == PairScores(1, 0, 1, 0, 0, 0)
    assert found.whole == GlobalScores(1, 1, 0)


def test_without_any_lesion_nothing_has_a_value():
    found = scores(EMPTY, EMPTY)
    assert found.lesions == Detection(0, 0, 0)
    assert math.isnan(found.lesions.f1)
    assert found.small_lesions is None
    assert all(np.isnan(astuple(part)).all() for part in (found.pairs, found.large_pairs, found.whole))


def test_a_missed_lesion_without_pairs_is_the_worst():
    found = scores(LESION, EMPTY)
    assert (found.lesions, found.lesions.f1) == (Detection(0, 1, 0), 0)
    assert same(found.pairs, WORST_PAIRS)
    assert found.large_pairs == PairScores(0, 0, 0, 0, 373, 0)
    assert found.whole == GlobalScores(0, 0, 373)


def test_a_false_component_without_lesions_is_the_worst_but_large_lesions_have_no_value():
    found = scores(EMPTY, LESION)
    assert (found.lesions, found.lesions.f1) == (Detection(0, 0, 1), 0)
    assert same(found.pairs, WORST_PAIRS)
    assert np.isnan(astuple(found.large_pairs)).all()
    assert found.small_lesions is None
    assert found.whole == GlobalScores(0, 0, 373)


def test_masks_that_share_no_voxel_have_the_worst_global_scores_even_if_they_touch():
    found = scores(LESION, box(8, 4, 4))
    assert found.lesions == Detection(0, 1, 1)
    assert found.whole == GlobalScores(0, 0, 373)


def test_missed_and_false_lesions_lower_f1_but_not_the_means_of_pairs():
    found = scores(LESION | FAR, LESION | box(4, 15, 12) | box(30, 15, 12))
    assert found.lesions == Detection(found=1, missed=1, false=2)
    assert found.lesions.f1 == pytest.approx(2 / (2 + 1 + 2))
    assert found.pairs == PairScores(1, 0, 1, 0, 0, 0)


def test_means_and_standard_deviations_are_over_pairs():
    found = scores(LESION | FAR, LESION | box(21, 4, 4))  # Dice 1 and 0.75
    assert found.pairs.dice == pytest.approx(0.875)
    assert found.pairs.dice_std == pytest.approx(0.125)
    assert (found.pairs.hd95_mm, found.pairs.hd95_std_mm) == (0.5, 0.5)


def test_a_second_component_in_a_lesion_is_false():
    halves = box(4, 4, 4, size=(2, 4, 4)) | box(7, 4, 4, size=(1, 4, 4))
    found = scores(LESION, halves)
    assert found.lesions == Detection(found=1, missed=0, false=1)
    assert found.pairs.dice == pytest.approx(2 * 32 / (64 + 32))


def test_a_component_that_bridges_two_lesions_finds_one_of_them():
    bridge = LESION | box(12, 4, 4) | box(8, 5, 5, size=(4, 1, 1))
    found = scores(LESION | box(12, 4, 4), bridge)
    assert found.lesions == Detection(found=1, missed=1, false=0)
    assert found.pairs.dice == pytest.approx(2 * 64 / (64 + 132))


def test_hd95_is_the_percentile_of_both_borders_together():
    longer = box(4, 4, 4, size=(10, 4, 4))
    assert scores(LESION, longer).pairs.hd95_mm == pytest.approx(np.percentile(distances_of(LESION, longer), 95))


def distances_of(reference, prediction):
    """Return the distances of all border voxels to the other border, by trying all pairs of voxels."""
    borders = [np.argwhere(border(mask)) for mask in (reference, prediction)]
    table = np.linalg.norm(borders[0][:, None] - borders[1][None], axis=-1)
    return [*table.min(axis=1), *table.min(axis=0)]


def border(mask):
    inside = np.ones_like(mask)
    for axis in range(3):
        for step in (1, -1):
            inside &= np.roll(mask, step, axis)
    return mask & ~inside


def test_nsd_counts_borders_up_to_the_shortest_edge():
    shifted = box(5, 4, 4)  # no border voxel is more than one voxel away
    assert scores(LESION, shifted, (1.0, 1.0, 1.0)).pairs.nsd == 1
    assert scores(LESION, shifted, (2.0, 1.0, 2.0)).pairs.nsd < 1
    assert scores(LESION, shifted, (1.0, 2.0, 1.0)).pairs.nsd == 1


def test_the_edges_along_x_and_z_are_exchanged_as_in_the_challenge():
    shifted = box(5, 4, 4)
    assert scores(LESION, shifted, (1.0, 1.0, 3.0)).pairs.hd95_mm == 3
    assert scores(LESION, shifted, (1.0, 1.0, 3.0), exchange_edges=False).pairs.hd95_mm == 1
    assert scores(LESION, box(4, 5, 4), (1.0, 2.0, 3.0)).pairs.hd95_mm == 2


def test_global_scores_ignore_the_voxel_size():
    shifted = box(5, 4, 4)
    found = scores(LESION, shifted, (3.0, 2.0, 0.5))
    assert found.whole == scores(LESION, shifted).whole
    assert found.whole.hd95_voxels == 1
    assert found.whole.nsd == pytest.approx(np.mean(np.array(distances_of(LESION, shifted)) == 0))
    assert found.whole.dice == 0.75


@pytest.mark.parametrize(
    ("size", "spacing_mm", "is_small"),
    [
        ((3, 3, 2), MILLIMETRE, True),
        ((5, 2, 2), MILLIMETRE, False),
        ((5, 2, 2), (0.99, 1.0, 1.0), True),
        ((1, 1, 1), (2.0, 2.0, 5.0), False),
    ],
)
def test_lesions_of_less_than_20_mm3_are_small(size, spacing_mm, is_small):
    lesion = box(4, 4, 4, size=size)
    found = scores(lesion, lesion, spacing_mm)
    assert (found.small_lesions is not None) == is_small
    assert math.isnan(found.large_pairs.dice) == is_small
    assert found.pairs.dice == 1


def test_small_lesions_count_for_detection_only():
    found = scores(LESION | SMALL, LESION | box(31, 4, 4, size=(3, 3, 2)))
    assert found.lesions == Detection(found=2, missed=0, false=0)
    assert found.large_pairs == PairScores(1, 0, 1, 0, 0, 0)
    assert found.small_lesions == Detection(found=1, missed=0, false=0)
    assert found.pairs.dice < 1


def test_a_small_lesion_with_a_low_dice_is_missed():
    large = box(30, 4, 4, size=(8, 10, 5))  # Dice with the small lesion 2 * 18 / (18 + 400) < 0.1
    found = scores(SMALL, large)
    assert found.lesions == Detection(found=1, missed=0, false=0)
    assert found.small_lesions == Detection(found=0, missed=1, false=0)


def test_a_small_lesion_is_found_from_a_dice_of_exactly_a_tenth():
    one = box(30, 4, 4, size=(1, 1, 1))
    component = box(30, 4, 4, size=(1, 19, 1))  # Dice 2 / 20
    found = scores(one, component)
    assert found.pairs.dice == 0.1
    assert found.small_lesions == Detection(found=1, missed=0, false=0)


def test_all_false_components_count_for_small_lesions_whatever_their_size():
    found = scores(SMALL, SMALL | LESION | FAR)
    assert found.small_lesions == Detection(found=1, missed=0, false=2)
    assert found.small_lesions.f1 == pytest.approx(2 / 4)


def test_without_small_lesions_false_components_are_no_small_ones():
    assert scores(LESION, LESION | SMALL).small_lesions is None


def test_large_lesions_without_pairs_beside_a_small_one_with_a_pair():
    found = scores(LESION | SMALL, SMALL)
    assert found.large_pairs == PairScores(0, 0, 0, 0, 373, 0)
    assert found.pairs == PairScores(1, 0, 1, 0, 0, 0)


def test_masks_are_not_changed():
    reference, prediction = LESION.copy(), FAR.copy()
    scores(reference, prediction)
    assert np.array_equal(reference, LESION)
    assert np.array_equal(prediction, FAR)


@pytest.mark.parametrize(
    ("reference", "prediction", "spacing_mm", "message"),
    [
        (LESION.astype(np.uint8), LESION, MILLIMETRE, r"reference: an array of type uint8 is not the mask"),
        (LESION, LESION[0], MILLIMETRE, r"prediction: a mask must have three axes"),
        (LESION, LESION[1:], MILLIMETRE, r"different shapes: \(40, 24, 20\) and \(39, 24, 20\)"),
        (LESION, LESION, (1.0, 1.0), r"must be three positive voxel edges"),
        (LESION, LESION, (1.0, 1.0, 0.0), r"must be three positive voxel edges"),
    ],
)
def test_invalid_arguments_are_refused(reference, prediction, spacing_mm, message):
    with pytest.raises(ValueError, match=message):
        scores(reference, prediction, spacing_mm)
