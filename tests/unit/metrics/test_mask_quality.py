"""What the probabilities of networks say about their masks, against a direct computation."""

import numpy as np
import pytest
import torch

from tests.support.builders import TASK, random_network
from tumorseg.inference.predictor import PredictionSettings, Predictor
from tumorseg.metrics.mask_quality import MaskQuality, OutputSums, mask_quality
from tumorseg.networks.devices import Execution

CPU = Execution(torch.device("cpu"), torch.float32)
IMAGE = np.random.default_rng(3).normal(1, 2, size=(4, 18, 17, 16)).astype(np.float16)
LABELS = (1, 2, 4)


def predict(*seeds: int, mirroring: bool = False):
    settings = PredictionSettings("whole", (16, 16, 16), 0.5, mirroring, probabilities=False)
    return Predictor([random_network(seed) for seed in seeds], CPU, settings, [3]).predict(IMAGE)


@pytest.mark.parametrize("mirroring", [False, True])
def test_soft_dice_and_volumes_equal_those_of_a_direct_computation(mirroring):
    prediction = predict(3, mirroring=mirroring)
    (quality,) = mask_quality(prediction.outputs, TASK, voxel_mm3=8)
    for structure, labels in TASK.structures.items():
        mask = np.isin(prediction.mask, labels)
        probability = prediction.probabilities[list(labels)].sum(axis=0, dtype=np.float64)
        assert 0 < mask.sum() < mask.size
        dice = 2 * probability[mask].sum() / (probability.sum() + mask.sum())
        found = quality[structure]
        assert (found.soft_dice, found.expected_mm3) == pytest.approx((dice, 8 * probability.sum()), rel=1e-5)
        assert (found.mask_mm3, found.agreement) == (8 * mask.sum(), None)


def test_each_of_several_networks_is_described_by_its_own_output():
    single = [mask_quality(predict(seed).outputs, TASK, 1)[0]["WT"] for seed in (3, 4)]
    together = [quality["WT"] for quality in mask_quality(predict(3, 4).outputs, TASK, 1)]
    for one, other in zip(single, together, strict=True):
        assert (one.soft_dice, one.expected_mm3, one.mask_mm3) == pytest.approx(
            (other.soft_dice, other.expected_mm3, other.mask_mm3)
        )


def test_the_agreement_is_the_dice_with_the_mask_of_all_networks():
    both = predict(3, 4)
    for quality, seed in zip(mask_quality(both.outputs, TASK, 1), (3, 4), strict=True):
        for structure, labels in TASK.structures.items():
            one, all_ = np.isin(predict(seed).mask, labels), np.isin(both.mask, labels)
            assert quality[structure].agreement == pytest.approx(2 * (one & all_).sum() / (one.sum() + all_.sum()))


def test_an_empty_mask_has_a_soft_dice_of_0_or_of_1_if_nothing_is_probable():
    probabilities, voxels = np.zeros((5, 5)), np.zeros((5, 5), int)
    probabilities[0], voxels[0, 0] = [997, 1, 2, 0, 0], 1000
    (quality,) = mask_quality([OutputSums(probabilities, voxels)], TASK, 1)
    assert quality["WT"] == MaskQuality(0, 3, 0)
    assert quality["ET"] == MaskQuality(1, 0, 0)


def test_the_quality_is_read_as_it_was_written():
    for quality in (MaskQuality(0.5, 1.5, 2), MaskQuality(0.5, 1.5, 2, agreement=0.0)):
        assert MaskQuality.from_json(quality.to_json()) == quality
