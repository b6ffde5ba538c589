from itertools import product

import numpy as np
import pytest
import torch

from tests.support.builders import architecture, network_with_statistics, random_network
from tumorseg.inference.whole_volume import (
    forward_bytes,
    fuse_batchnorm,
    logits_of,
    mask_of,
    pad_image,
    probabilities_of,
)
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import NETWORKS
from tumorseg.networks.memory import GIB

CPU = Execution(torch.device("cpu"), torch.float32)
EVERY_NETWORK = [
    {"name": name, "norm": norm, "down_sampling": down_sampling, "deep_supervision": down_sampling == "stride"}
    for name, norm, down_sampling in product(NETWORKS, ("batch", "instance"), ("pool", "stride"))
]


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


@pytest.mark.parametrize("changes", EVERY_NETWORK)
def test_a_fused_network_has_the_same_logits(changes):
    net, images = network_with_statistics(**changes), torch.randn(1, 4, 16, 24, 16)
    with torch.inference_mode():
        torch.testing.assert_close(fuse_batchnorm(net)(images), net(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_fusing_removes_all_batch_norms_and_does_not_change_the_network(name):
    net = network_with_statistics(name=name)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    assert not any(isinstance(module, torch.nn.BatchNorm3d) for module in fuse_batchnorm(net).modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_synchronised_batch_norms_are_fused_too():
    net, images = network_with_statistics(), torch.randn(1, 4, 16, 16, 16)
    synchronised = fuse_batchnorm(torch.nn.SyncBatchNorm.convert_sync_batchnorm(network_with_statistics()))
    assert not any(isinstance(module, torch.nn.SyncBatchNorm) for module in synchronised.modules())
    with torch.inference_mode():
        assert torch.equal(synchronised(images), fuse_batchnorm(net)(images))


def test_the_estimated_memory_of_a_whole_brain_is_near_the_measured_one():
    assert forward_bytes(architecture(16), (144, 192, 144), torch.float32) / GIB == pytest.approx(1.6, rel=0.15)
