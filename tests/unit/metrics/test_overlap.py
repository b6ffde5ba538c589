import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import confusion_matrix

from tests.support.builders import hypothesis_settings, structure_mask
from tests.support.random_masks import labelled_pair, seeds
from tumorseg.metrics.overlap import Overlap, confusion, overlaps, overlaps_from_confusion
from tumorseg.task import load_task

TASK = load_task()


def random_mask(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array([0, 1, 2, 4], np.uint8), size=(6, 7, 8))


def test_counts_equal_those_of_boolean_masks():
    reference, prediction = random_mask(1), random_mask(2)
    for name in TASK.structures:
        predicted, expected = structure_mask(prediction, name), structure_mask(reference, name)
        overlap = overlaps(reference, prediction, TASK)[name]
        assert overlap.true_positives == (predicted & expected).sum()
        assert overlap.false_positives == (predicted & ~expected).sum()
        assert overlap.false_negatives == (~predicted & expected).sum()
        assert overlap.true_negatives == (~predicted & ~expected).sum()


def test_known_values():
    overlap = Overlap(true_positives=6, false_positives=2, false_negatives=4, true_negatives=8)
    assert overlap.dice == pytest.approx(12 / 18)
    assert overlap.iou == pytest.approx(6 / 12)
    assert overlap.precision == pytest.approx(6 / 8)
    assert overlap.sensitivity == pytest.approx(6 / 10)
    assert overlap.specificity == pytest.approx(8 / 10)
    assert (overlap.reference_voxels, overlap.predicted_voxels) == (10, 8)


@pytest.mark.parametrize("counts", [(6, 2, 4), (1, 0, 0), (0, 3, 2), (0, 0, 0), (0, 5, 0), (0, 0, 5)])
def test_f1_equals_dice_and_iou_follows_from_it(counts):
    overlap = Overlap(*counts, true_negatives=3)
    assert overlap.f1 == pytest.approx(overlap.dice)
    assert overlap.iou == pytest.approx(overlap.dice / (2 - overlap.dice))


@pytest.mark.parametrize(("counts", "specificity"), [((5, 0, 0, 0), 1), ((0, 5, 0, 0), 0), ((0, 0, 5, 3), 1)])
def test_specificity_is_1_without_negatives(counts, specificity):
    assert Overlap(*counts).specificity == specificity


@hypothesis_settings(50)
@given(seed=seeds)
def test_the_confusion_matrix_equals_scikit_learn(seed):
    reference, prediction = labelled_pair(seed)
    expected = confusion_matrix(reference.ravel(), prediction.ravel(), labels=range(5))
    np.testing.assert_array_equal(confusion(reference, prediction, 5), expected)


def test_the_confusion_matrix_counts_every_voxel_of_empty_masks():
    empty = np.zeros((3, 4, 5), np.uint8)
    assert confusion(empty, empty, 5)[0, 0] == confusion(empty, empty, 5).sum() == 60


def test_overlaps_of_several_cases_follow_from_the_sum_of_their_confusion_matrices():
    pairs = [(random_mask(1), random_mask(2)), (random_mask(3), random_mask(4))]
    expected = overlaps(*(np.concatenate(masks) for masks in zip(*pairs, strict=True)), TASK)
    assert overlaps_from_confusion(sum(confusion(*pair, 5) for pair in pairs), TASK) == expected


def test_two_empty_masks_have_dice_1():
    empty = np.zeros((3, 3, 3), np.uint8)
    assert {overlap.dice for overlap in overlaps(empty, empty, TASK).values()} == {1.0}


@pytest.mark.parametrize("label", TASK.label_values)
def test_a_missed_or_false_structure_scores_0(label):
    empty, full = np.zeros((3, 3, 3), np.uint8), np.full((3, 3, 3), label, np.uint8)
    assert overlaps(empty, full, TASK)[f"label_{label}"].dice == 0
    assert overlaps(full, empty, TASK)[f"label_{label}"].dice == 0


def test_regions_are_addressed_by_name():
    only_enhancing = np.full((2, 2, 2), 4, np.uint8)
    only_oedema = np.full((2, 2, 2), 2, np.uint8)
    scores = overlaps(only_enhancing, only_oedema, TASK)
    assert (scores["WT"].dice, scores["TC"].dice, scores["ET"].dice) == (1, 0, 0)


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="different shapes"):
        confusion(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.uint8), 5)


def test_values_above_the_labels_are_refused():
    with pytest.raises(ValueError, match="a value above 4, the largest label"):
        confusion(np.full((2, 2, 2), 5, np.uint8), np.zeros((2, 2, 2), np.uint8), 5)
