from dataclasses import replace

import pytest
import torch
from torch.nn.functional import one_hot

from tests.support.builders import recipe
from tumorseg.training.losses import LossTerms, deep_supervision_loss, segmentation_loss
from tumorseg.training.losses import soft_dice as soft_dice_of_probabilities

TERMS = LossTerms.of_labels((1, 2, 4))
MASK = torch.tensor([0, 1, 2, 4, 0, 1, 2, 4]).reshape(1, 2, 2, 2)


def certain_logits(mask: torch.Tensor) -> torch.Tensor:
    """Return logits that predict `mask` with certainty."""
    return 100.0 * one_hot(mask, 5).movedim(-1, 1).float()


def soft_dice(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return soft_dice_of_probabilities(logits.softmax(1), one_hot(mask, 5).movedim(-1, 1).bool(), TERMS.structures)


def test_a_perfect_prediction_has_no_loss():
    assert segmentation_loss(certain_logits(MASK), MASK, TERMS).item() == pytest.approx(0, abs=1e-5)


def test_soft_dice_of_certain_predictions_is_the_dice_score():
    prediction = torch.tensor([0, 1, 2, 4, 0, 0, 2, 2]).reshape(1, 2, 2, 2)
    assert soft_dice(certain_logits(prediction), MASK).tolist() == pytest.approx([2 / 3, 4 / 5, 2 / 3], abs=1e-4)


def test_the_unused_class_does_not_affect_dice():
    # Exchanging the background and the unused class does not change the Dice of the labels.
    logits = torch.randn(1, 5, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    swapped = logits[:, [3, 1, 2, 0, 4]]
    assert torch.allclose(soft_dice(logits, MASK), soft_dice(swapped, MASK))


@pytest.mark.parametrize("labels", [(1,), (1, 2, 3), (2, 4)])
def test_dice_is_computed_for_the_given_labels(labels):
    mask = torch.tensor([0, 1, 2, 3, 4, 0, 0, 0]).reshape(1, 2, 2, 2)
    probabilities = one_hot(torch.zeros_like(mask), 5).movedim(-1, 1).float()
    probabilities[:, 1] = (mask == 1).float()
    reference = one_hot(mask, 5).movedim(-1, 1).bool()
    dice = soft_dice_of_probabilities(probabilities, reference, LossTerms.of_labels(labels).structures)
    assert dice.tolist() == pytest.approx([float(label == 1) for label in labels], abs=1e-4)


def test_cross_entropy_is_part_of_the_loss():
    logits = torch.zeros(1, 5, 2, 2, 2)
    expected = torch.log(torch.tensor(5.0)) + 1 - soft_dice(logits, MASK).mean()
    assert segmentation_loss(logits, MASK, TERMS) == pytest.approx(expected.item())


def test_a_label_absent_from_reference_and_prediction_has_no_loss():
    mask = torch.zeros(1, 2, 2, 2, dtype=torch.long)
    assert soft_dice(certain_logits(mask), mask).tolist() == pytest.approx([1, 1, 1], abs=1e-4)


def test_fp16_logits_are_summed_in_float32():
    mask = torch.ones(1, 48, 48, 48, dtype=torch.long)  # 110,592 voxels: more than fp16 can count
    loss = segmentation_loss(certain_logits(mask).half(), mask, TERMS)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0, abs=1e-4)


def test_the_cross_entropy_equals_that_of_torch():
    logits = torch.randn(2, 5, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    masks = MASK.repeat(2, 1, 1, 1)
    dice = soft_dice(logits, masks).mean()
    expected = torch.nn.functional.cross_entropy(logits, masks) + 1 - dice
    assert segmentation_loss(logits, masks, TERMS).item() == pytest.approx(expected.item(), rel=1e-6)


def test_a_coarser_level_is_compared_with_every_second_voxel_and_has_half_the_weight():
    mask = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    mask[:, ::2, ::2, ::2] = MASK
    right, wrong = certain_logits(mask), torch.zeros(1, 5, 2, 2, 2)
    assert deep_supervision_loss([right, certain_logits(MASK)], mask, TERMS).item() == pytest.approx(0, abs=1e-5)
    expected = (0 + 0.5 * segmentation_loss(wrong, MASK, TERMS)) / 1.5
    assert deep_supervision_loss([right, wrong], mask, TERMS).item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_single_level_has_the_plain_loss():
    logits = torch.randn(1, 5, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    assert deep_supervision_loss([logits], MASK, TERMS) == segmentation_loss(logits, MASK, TERMS)


def logits_of(*labels: int) -> torch.Tensor:
    """Return logits of eight voxels that predict these labels with certainty."""
    return certain_logits(torch.tensor(labels).reshape(1, 2, 2, 2))


def test_the_dice_of_a_region_does_not_depend_on_which_of_its_labels_is_predicted():
    swapped = logits_of(0, 4, 2, 1, 0, 4, 2, 1)
    dice = soft_dice_of_probabilities(
        swapped.softmax(1), one_hot(MASK, 5).movedim(-1, 1).bool(), [(1, 2, 4), (1, 4), (4,)]
    )
    assert dice.tolist() == pytest.approx([1, 1, 0], abs=1e-4)


def test_absent_labels_can_be_left_out_of_the_dice_term():
    mask = torch.tensor([0, 0, 2, 2, 0, 0, 0, 0]).reshape(1, 2, 2, 2)
    wrong = logits_of(0, 1, 2, 2, 0, 4, 0, 0)
    terms = replace(TERMS, ignore_absent=True)
    cross_entropy = torch.nn.functional.cross_entropy(wrong, mask)
    # Labels 1 and 4 are predicted without being there: each counts as a Dice of 0, unless it is left out.
    assert segmentation_loss(wrong, mask, TERMS).item() == pytest.approx(cross_entropy.item() + 2 / 3, abs=1e-4)
    assert segmentation_loss(wrong, mask, terms).item() == pytest.approx(cross_entropy.item(), abs=1e-4)


def test_patches_without_any_label_have_no_dice_term_if_absent_labels_are_left_out():
    mask = torch.zeros(1, 2, 2, 2, dtype=torch.long)
    wrong = logits_of(0, 1, 2, 2, 0, 4, 0, 0)
    expected = torch.nn.functional.cross_entropy(wrong, mask)
    assert segmentation_loss(wrong, mask, replace(TERMS, ignore_absent=True)) == pytest.approx(expected.item())


def test_the_weighted_cross_entropy_equals_that_of_torch():
    logits = torch.randn(1, 5, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    weights = (1, 3, 1, 1, 2)  # whole numbers, as in a configuration
    expected = (
        torch.nn.functional.cross_entropy(logits, MASK, torch.tensor(weights).float())
        + 1
        - soft_dice(logits, MASK).mean()
    )
    terms = replace(TERMS, class_weights=weights)
    assert segmentation_loss(logits, MASK, terms).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("ignore_absent", [False, True])
def test_processes_that_share_a_batch_have_the_loss_of_the_whole_batch(ignore_absent):
    masks = torch.cat([MASK, torch.tensor([0, 0, 0, 0, 0, 0, 0, 4]).reshape(1, 2, 2, 2)])
    logits = torch.randn(2, 5, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    terms = replace(TERMS, ignore_absent=ignore_absent, class_weights=(1, 3, 1, 1, 2))
    sums_by_process = []
    for part in range(2):
        sums = []
        segmentation_loss(logits[[part]], masks[[part]], terms, lambda values, sums=sums: sums.append(values) or values)
        sums_by_process.append(sums)
    whole = segmentation_loss(logits, masks, terms).item()
    for part in range(2):
        totals = iter([first + second for first, second in zip(*sums_by_process, strict=True)])
        loss = segmentation_loss(logits[[part]], masks[[part]], terms, lambda _, totals=totals: next(totals))
        assert loss.item() == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, LossTerms(((1,), (2,), (4,)))),
        ({"dice_structures": "regions"}, LossTerms(((1, 2, 4), (1, 4), (4,)))),
        ({"dice_structures": "all"}, LossTerms(((1,), (2,), (4,), (1, 2, 4), (1, 4), (4,)))),
        ({"dice_absent": "ignore"}, LossTerms(((1,), (2,), (4,)), ignore_absent=True)),
        ({"cross_entropy_weights": {"label_4": 3}}, LossTerms(((1,), (2,), (4,)), class_weights=(1, 1, 1, 1, 3))),
    ],
)
def test_the_configuration_sets_the_terms_of_the_loss(changes, expected):
    assert LossTerms.from_recipe(recipe(**changes)) == expected
