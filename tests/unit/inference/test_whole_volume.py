import numpy as np
import pytest
import torch

from tests.support.builders import random_network
from tumorseg.inference.whole_volume import logits_of, mask_of, pad_image, probabilities_of
from tumorseg.networks.devices import Execution

CPU = Execution(torch.device("cpu"), torch.float32)


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(1, 2, size=(4, 9, 17, 20)).astype(np.float16)


@pytest.mark.parametrize("start", [(0, 0, 0), (3, 8, 15), (1, 7, 100)])
def test_a_padded_image_has_divisible_sides_and_contains_the_image(image, start):
    padded = pad_image(image, start, 8)
    assert all(side % 8 == 0 for side in padded.images.shape[2:])
    np.testing.assert_array_equal(padded.images[0, :, *padded.inside], image)
    assert np.count_nonzero(padded.images) == np.count_nonzero(image)


@pytest.mark.parametrize("start", [(0, 0, 0), (3, 8, 15), (1, 7, 100)])
def test_padding_keeps_the_alignment_with_the_whole_grid(image, start):
    inside = pad_image(image, start, 8).inside
    assert [part.start for part in inside] == [first % 8 for first in start]


def test_logits_equal_those_of_the_network():
    network, images = random_network(), torch.randn(1, 4, 16, 24, 16)
    logits = logits_of(network, CPU.place(images), CPU)
    torch.testing.assert_close(logits, network(images), atol=1e-5, rtol=1e-5)
    assert not logits.requires_grad


def test_logits_are_float32_in_any_precision():
    half = Execution(torch.device("cpu"), torch.bfloat16)
    logits = logits_of(random_network(), half.place(torch.randn(1, 4, 16, 16, 16)), half)
    assert logits.dtype == torch.float32


def test_an_unused_class_is_never_predicted():
    logits = torch.zeros(1, 5, 2, 2, 2)
    logits[:, 3] = 9
    logits[:, 4] = 1
    probabilities = probabilities_of(logits, [3])
    assert (probabilities[:, 3] == 0).all()
    assert (mask_of(probabilities[0]) == 4).all()


def test_probabilities_add_up_to_1():
    probabilities = probabilities_of(torch.randn(1, 5, 2, 3, 4), [1, 2])
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(1, 2, 3, 4))


def test_the_smallest_label_is_predicted_for_equal_probabilities():
    probabilities = torch.tensor([0.1, 0.3, 0.3, 0.0, 0.3]).reshape(5, 1, 1, 1).expand(5, 4, 5, 6)
    assert (mask_of(probabilities) == 1).all()
