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
def test_a_padded_image_has_sides_that_the_network_can_halve_and_the_image_inside(image, start):
    padded = pad_image(image, start, 8)
    assert all(side % 8 == 0 for side in padded.images.shape[2:])
    np.testing.assert_array_equal(padded.images[0, :, *padded.inside], image)
    assert np.count_nonzero(padded.images) == np.count_nonzero(image)


@pytest.mark.parametrize("start", [(0, 0, 0), (3, 8, 15), (1, 7, 100)])
def test_an_image_lies_as_on_the_whole_grid_from_one_halving_to_the_next(image, start):
    inside = pad_image(image, start, 8).inside
    assert [part.start for part in inside] == [first % 8 for first in start]


def test_logits_are_those_of_the_network():
    network, images = random_network(), torch.randn(1, 4, 16, 24, 16)
    found = logits_of(network, CPU.place(images), CPU)
    torch.testing.assert_close(found, network(images), atol=1e-5, rtol=1e-5)
    assert not found.requires_grad


def test_logits_are_float32_whatever_the_network_computes_in():
    half = Execution(torch.device("cpu"), torch.bfloat16)
    found = logits_of(random_network(), half.place(torch.randn(1, 4, 16, 16, 16)), half)
    assert found.dtype == torch.float32


def test_a_class_that_no_voxel_has_is_never_chosen():
    logits = torch.zeros(1, 5, 2, 2, 2)
    logits[:, 3] = 9
    logits[:, 4] = 1
    probabilities = probabilities_of(logits, [3])
    assert (probabilities[:, 3] == 0).all()
    assert (mask_of(probabilities[0]) == 4).all()


def test_probabilities_add_up():
    probabilities = probabilities_of(torch.randn(1, 5, 2, 3, 4), [1, 2])
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(1, 2, 3, 4))


def test_of_equal_probabilities_the_first_label_is_taken():
    probabilities = torch.tensor([0.1, 0.3, 0.3, 0.0, 0.3]).reshape(5, 1, 1, 1).expand(5, 4, 5, 6)
    assert (mask_of(probabilities) == 1).all()
