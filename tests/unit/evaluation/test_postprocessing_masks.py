import numpy as np
import pytest

from tests.support.builders import TASK
from tests.support.random_masks import labelled_pair
from tumorseg.configuration.postprocessing_candidates import candidates, no_postprocessing
from tumorseg.evaluation.held_out_masks import CaseMasks
from tumorseg.evaluation.postprocessing_masks import (
    SCORES,
    candidate_dice,
    crop_to_labels,
    distinct_masks,
    present_structures,
    scores_before_and_after,
)
from tumorseg.inference.postprocessing import postprocess
from tumorseg.metrics.overlap import overlaps
from tumorseg.metrics.structure_scores import case_scores
from tumorseg.task import load_task

VOXEL_MM3 = 2.0
TRIED = candidates({"remove_components_mm3": [8, 60], "min_enhancing_mm3": [30], "fill_holes": True}, TASK)
OEDEMA_FIRST = {**no_postprocessing(TASK), "remove_components": {"WT": 8, "TC": 60, "ET": 8}}


def speckled(seed: int, task=TASK, shape=(16, 14, 12)) -> CaseMasks:
    """Return a random reference, and a prediction with small components and holes."""
    reference, prediction = labelled_pair(seed, shape)
    rng = np.random.default_rng(seed)
    noisy = rng.random(shape) < 0.02
    prediction = np.where(noisy, rng.choice(np.array([0, *task.label_values]), shape), prediction).astype(np.uint8)
    prediction[[0, -1]] = 0
    reference, prediction = (np.where(np.isin(mask, task.label_values), mask, 0) for mask in (reference, prediction))
    return CaseMasks(reference.astype(np.uint8), prediction.astype(np.uint8), (1.0, 2.0, 1.0))


@pytest.mark.parametrize("name", ["brats-glioma", "brats-glioma-post-treatment", "brats-meningioma-radiotherapy"])
def test_the_mask_of_each_candidate_equals_that_of_the_prediction(name):
    """Steps that candidates share run once."""
    task = load_task(name)
    tried = candidates({"remove_components_mm3": [8, 60], "min_enhancing_mm3": [30], "fill_holes": True}, task)
    mask = speckled(1, task).prediction
    found, number_of = distinct_masks(mask, VOXEL_MM3, tried, task)
    assert 1 < len(found) < len(tried)
    for candidate, number in zip(tried, number_of, strict=True):
        np.testing.assert_array_equal(found[number], postprocess(mask, VOXEL_MM3, candidate, task)[0])


def test_the_mask_before_postprocessing_is_not_changed():
    masks = speckled(2)
    before = masks.prediction.copy()
    distinct_masks(masks.prediction, VOXEL_MM3, TRIED, TASK)
    np.testing.assert_array_equal(masks.prediction, before)


@pytest.mark.parametrize("seed", range(3))
def test_the_dice_of_cropped_masks_is_that_of_whole_masks(seed):
    small = speckled(seed)
    reference, prediction = (np.pad(mask, ((2, 2), (0, 5), (1, 0))) for mask in (small.reference, small.prediction))
    masks = CaseMasks(reference, prediction, small.spacing_mm)
    dice = candidate_dice(crop_to_labels(masks, TASK), VOXEL_MM3, TRIED, TASK)
    assert crop_to_labels(masks, TASK).reference.size < masks.reference.size
    for number in (0, 7, len(TRIED) - 1):
        mask, _ = postprocess(masks.prediction, VOXEL_MM3, TRIED[number], TASK)
        whole = [overlap.dice for overlap in overlaps(masks.reference, mask, TASK).values()]
        assert dice[number].tolist() == whole


def test_the_scores_before_and_after_are_those_of_the_evaluation():
    masks = speckled(3)
    processed, _ = postprocess(masks.prediction, VOXEL_MM3, OEDEMA_FIRST, TASK)
    found = scores_before_and_after(masks, VOXEL_MM3, OEDEMA_FIRST, TASK)
    for scores, prediction in zip(found, (masks.prediction, processed), strict=True):
        expected, _ = case_scores(masks.reference, prediction, masks.spacing_mm, task=TASK, surface_tolerance_mm=1)
        assert scores.tolist() == [[by_name[name] for name in SCORES] for by_name in expected.values()]
    assert not np.array_equal(*found)


def test_an_empty_reference_and_prediction_have_the_best_scores():
    empty = np.zeros((4, 4, 4), np.uint8)
    masks = crop_to_labels(CaseMasks(empty, empty, (1.0, 1.0, 1.0)), TASK)
    assert (candidate_dice(masks, 1, TRIED, TASK) == 1).all()
    assert (scores_before_and_after(masks, 1, TRIED[-1], TASK) == 1).all()


def test_the_structures_of_a_reference():
    mask = np.zeros((4, 4, 4), np.uint8)
    mask[1, 1, 1] = 1
    present = dict(zip(TASK.structures, present_structures(mask, TASK).tolist(), strict=True))
    assert [name for name, is_present in present.items() if is_present] == ["WT", "TC", "label_1"]
