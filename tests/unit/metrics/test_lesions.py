import numpy as np
import pytest

from tumorseg.metrics.lesions import LesionOutcome, LesionScores, lesion_outcomes, lesion_scores

SHAPE = (64, 64, 48)
MILLIMETRE = (1.0, 1.0, 1.0)
EMPTY = np.zeros(SHAPE, bool)


def box(*starts: int, size=(10, 10, 10)):
    mask = EMPTY.copy()
    mask[tuple(slice(start, start + side) for start, side in zip(starts, size, strict=True))] = True
    return mask


def voxel(*position: int):
    return box(*position, size=(1, 1, 1))


def scores(reference, prediction, spacing_mm=MILLIMETRE):
    found = lesion_scores(reference, prediction, spacing_mm)
    return found.dice, found.hd95_mm


SMALL = box(20, 20, 20, size=(5, 5, 2))  # 50 mm³
SMALLEST_COUNTED = SMALL | voxel(25, 20, 20)
LESION = box(10, 20, 20)
SMALL_APART = voxel(2, 2, 2)


@pytest.mark.parametrize(("reference", "expected"), [(SMALL, (1, 0)), (SMALLEST_COUNTED, (0, 374))])
def test_a_missed_lesion_counts_above_50_mm3(reference, expected):
    assert scores(reference, EMPTY) == expected


@pytest.mark.parametrize("reference", [SMALL, EMPTY])
def test_without_any_lesion_the_scores_are_perfect(reference):
    assert lesion_scores(reference, EMPTY, MILLIMETRE) == LesionScores(1, 0, found=0, missed=0, false=0)


def test_one_predicted_voxel_without_any_lesion_is_a_false_lesion():
    assert lesion_scores(EMPTY, voxel(9, 9, 9), MILLIMETRE) == LesionScores(0, 374, found=0, missed=0, false=1)


def test_a_perfect_prediction_is_perfect():
    assert lesion_scores(LESION, LESION, MILLIMETRE) == LesionScores(1, 0, found=1, missed=0, false=0)


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_a_stray_voxel_near_a_lesion_belongs_to_it(gap):
    dice, hd95 = scores(LESION, LESION | voxel(20 + gap, 20, 20))
    assert dice == pytest.approx(2000 / 2001)
    assert hd95 == 0


@pytest.mark.parametrize("gap", [3, 4, 20])
def test_a_stray_voxel_farther_away_is_false(gap):
    assert scores(LESION, LESION | voxel(20 + gap, 20, 20)) == (0.5, 187)


@pytest.mark.parametrize(("position", "false"), [((21, 17, 20), 0), ((22, 17, 20), 0), ((22, 17, 18), 1)])
def test_dilation_rounds_off_corners(position, false):
    assert lesion_scores(LESION, LESION | voxel(*position), MILLIMETRE).false == false


def test_a_component_that_touches_a_small_lesion_is_not_false():
    assert lesion_scores(SMALL, SMALL, MILLIMETRE) == LesionScores(1, 0, found=0, missed=0, false=0)
    assert lesion_scores(SMALL, voxel(25, 20, 20), MILLIMETRE).false == 0
    assert lesion_scores(SMALL, voxel(35, 20, 20), MILLIMETRE).false == 1


def test_a_component_that_bridges_two_lesions_belongs_to_both():
    reference = LESION | box(40, 20, 20)
    bridged = reference | box(10, 25, 25, size=(40, 1, 1))
    found = lesion_scores(reference, bridged, MILLIMETRE)
    assert (found.found, found.missed, found.false) == (2, 0, 0)
    assert found.dice == pytest.approx(2 * 1000 / (1000 + 2020))


def test_a_bridge_between_a_small_and_a_large_lesion_counts_for_the_large_one():
    reference = LESION | box(30, 20, 20, size=(2, 5, 5))
    bridged = LESION | box(20, 20, 20, size=(10, 1, 1))
    found = lesion_scores(reference, bridged, MILLIMETRE)
    assert found.dice == pytest.approx(2 * 1000 / (1000 + 1010))
    assert (found.found, found.missed, found.false) == (1, 0, 0)


def test_components_that_touch_one_lesion_are_compared_with_it_together():
    pieces = box(10, 20, 20, size=(4, 10, 10)) | box(16, 20, 20, size=(4, 10, 10))
    found = lesion_scores(LESION, pieces, MILLIMETRE)
    assert found.dice == pytest.approx(2 * 800 / 1800)
    assert (found.found, found.false) == (1, 0)


@pytest.mark.parametrize(("gap", "missed"), [(6, 1), (7, 0)])
def test_pieces_that_dilation_joins_are_one_lesion(gap, missed):
    pieces = box(10, 20, 20, size=(3, 5, 2)) | box(13 + gap, 20, 20, size=(3, 5, 2))
    assert lesion_scores(pieces, EMPTY, MILLIMETRE).missed == missed


def test_voxels_that_share_a_corner_are_one_component():
    assert lesion_scores(EMPTY, voxel(9, 9, 9) | voxel(10, 10, 10), MILLIMETRE).false == 1


@pytest.mark.parametrize(
    ("voxels", "spacing_mm", "missed"),
    [(6, (2.0, 2.0, 2.0), 0), (7, (2.0, 2.0, 2.0), 1), (51, (0.5, 1.0, 1.0), 0), (400, (0.5, 0.5, 0.5), 0)],
)
def test_the_volume_of_a_lesion_is_in_mm3(voxels, spacing_mm, missed):
    reference = EMPTY.copy()
    reference[20:30, 20:30, 20:30] = (np.arange(1000) < voxels).reshape(10, 10, 10)
    assert lesion_scores(reference, EMPTY, spacing_mm).missed == missed


def test_hd95_is_in_mm():
    longer = box(10, 20, 20, size=(13, 10, 10))
    assert lesion_scores(LESION, longer, MILLIMETRE).hd95_mm == 3
    assert lesion_scores(LESION, longer, (2.0, 1.0, 1.0)).hd95_mm == 6


def test_every_lesion_and_every_false_component_counts_once():
    shifted, missed, small = (box(*position, size=(4, 4, 4)) for position in ((40, 20, 20), (40, 45, 20), (10, 50, 5)))
    reference = LESION | shifted | missed | (small & box(10, 50, 5, size=(2, 2, 2)))
    prediction = LESION | np.roll(shifted, 1, axis=0) | voxel(60, 60, 40) | box(30, 5, 40, size=(5, 5, 5))
    found = lesion_scores(reference, prediction, MILLIMETRE)
    assert (found.found, found.missed, found.false) == (2, 1, 2)
    assert found.dice == pytest.approx((1 + 0.75 + 0 + 0 + 0) / 5)
    assert found.hd95_mm == pytest.approx((0 + 1 + 3 * 374) / 5)


def test_a_large_and_a_tiny_lesion_have_equal_weight():
    large, tiny = box(2, 2, 2, size=(30, 30, 30)), box(50, 50, 30, size=(4, 4, 4))
    assert scores(large | tiny, large) == scores(large | tiny, tiny) == (0.5, 187)


@pytest.mark.parametrize("step", [(2, 0, 0), (0, 2, 0), (0, 0, 2)])
def test_components_in_a_row_are_counted(step):
    other = voxel(*(9 + offset for offset in step))
    assert lesion_scores(EMPTY, voxel(9, 9, 9) | other, MILLIMETRE).false == 2


def test_each_lesion_and_each_false_component_has_an_outcome():
    reference = LESION | box(40, 40, 10, size=(4, 4, 4)) | SMALL_APART
    prediction = LESION | voxel(60, 60, 40)
    assert lesion_outcomes(reference, prediction, (1.0, 1.0, 2.0)) == [
        LesionOutcome("missed", 2.0, 0.0),
        LesionOutcome("found", 2000.0, 1.0),
        LesionOutcome("missed", 128.0, 0.0),
        LesionOutcome("false", 2.0, 0.0),
    ]


def test_without_masks_there_are_no_lesions():
    assert lesion_outcomes(EMPTY, EMPTY, MILLIMETRE) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_outcomes_add_up_to_the_counts_of_the_scores(seed):
    reference, prediction = (np.random.default_rng(seed + part).random((20, 20, 20)) > 0.99 for part in (0, 100))
    reference[5:9, 5:9, 5:9] = True
    outcomes = lesion_outcomes(reference, prediction, MILLIMETRE)
    counted = [lesion.outcome for lesion in outcomes if lesion.outcome == "false" or lesion.mm3 > 50]
    scored = lesion_scores(reference, prediction, MILLIMETRE)
    assert [counted.count(kind) for kind in ("found", "missed", "false")] == [scored.found, scored.missed, scored.false]
