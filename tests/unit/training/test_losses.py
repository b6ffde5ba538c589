import pytest
import torch
from torch.nn.functional import one_hot

from tumorseg.training.losses import deep_supervision_loss, segmentation_loss
from tumorseg.training.losses import soft_dice as soft_dice_of_probabilities

LABELS = (1, 2, 4)
MASK = torch.tensor([0, 1, 2, 4, 0, 1, 2, 4]).reshape(1, 2, 2, 2)


def certain_logits(mask: torch.Tensor) -> torch.Tensor:
    """Return logits that predict `mask` with certainty."""
    return 100.0 * one_hot(mask, 5).movedim(-1, 1).float()


def soft_dice(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return soft_dice_of_probabilities(logits.softmax(1), one_hot(mask, 5).movedim(-1, 1).bool(), LABELS)


def test_a_perfect_prediction_has_no_loss():
    assert segmentation_loss(certain_logits(MASK), MASK, LABELS).item() == pytest.approx(0, abs=1e-5)


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
    dice = soft_dice_of_probabilities(probabilities, reference, labels)
    assert dice.tolist() == pytest.approx([float(label == 1) for label in labels], abs=1e-4)


def test_cross_entropy_is_part_of_the_loss():
    logits = torch.zeros(1, 5, 2, 2, 2)
    expected = torch.log(torch.tensor(5.0)) + 1 - soft_dice(logits, MASK).mean()
    assert segmentation_loss(logits, MASK, LABELS) == pytest.approx(expected.item())


def test_a_label_absent_from_reference_and_prediction_has_no_loss():
    mask = torch.zeros(1, 2, 2, 2, dtype=torch.long)
    assert soft_dice(certain_logits(mask), mask).tolist() == pytest.approx([1, 1, 1], abs=1e-4)


def test_fp16_logits_are_summed_in_float32():
    mask = torch.ones(1, 48, 48, 48, dtype=torch.long)  # 110,592 voxels: more than fp16 can count
    loss = segmentation_loss(certain_logits(mask).half(), mask, LABELS)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0, abs=1e-4)


def test_the_cross_entropy_equals_that_of_torch():
    logits = torch.randn(2, 5, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    masks = MASK.repeat(2, 1, 1, 1)
    dice = soft_dice(logits, masks).mean()
    expected = torch.nn.functional.cross_entropy(logits, masks) + 1 - dice
    assert segmentation_loss(logits, masks, LABELS).item() == pytest.approx(expected.item(), rel=1e-6)


def test_a_coarser_level_is_compared_with_every_second_voxel_and_has_half_the_weight():
    mask = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    mask[:, ::2, ::2, ::2] = MASK
    right, wrong = certain_logits(mask), torch.zeros(1, 5, 2, 2, 2)
    assert deep_supervision_loss([right, certain_logits(MASK)], mask, LABELS).item() == pytest.approx(0, abs=1e-5)
    expected = (0 + 0.5 * segmentation_loss(wrong, MASK, LABELS)) / 1.5
    assert deep_supervision_loss([right, wrong], mask, LABELS).item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_single_level_has_the_plain_loss():
    logits = torch.randn(1, 5, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    assert deep_supervision_loss([logits], MASK, LABELS) == segmentation_loss(logits, MASK, LABELS)
