import pytest
import torch
from torch import nn

from tests.support.builders import architecture
from tumorseg.networks.factory import build

TINY = architecture()


def test_logits_have_five_classes_on_the_grid_of_the_input():
    logits = build(TINY)(torch.zeros(2, 4, 16, 24, 8))
    assert logits.shape == (2, 5, 16, 24, 8)


def test_three_down_samplings_and_three_up_samplings():
    network = build(TINY)
    ups = [module for module in network.modules() if isinstance(module, nn.ConvTranspose3d)]
    deepest = []
    network.encoder[-1].register_forward_hook(lambda _module, _inputs, output: deepest.append(output.shape))
    network(torch.zeros(2, 4, 32, 32, 32))
    assert len(ups) == 3
    assert deepest == [(2, 16, 4, 4, 4)]


def test_each_level_has_two_convolutions_with_batch_norm_and_relu():
    for block in [*build(TINY).encoder, *(expansion.block for expansion in build(TINY).decoder)]:
        assert [type(layer) for layer in block] == [nn.Conv3d, nn.BatchNorm3d, nn.ReLU] * 2
        assert all(layer.kernel_size == (3, 3, 3) for layer in block if isinstance(layer, nn.Conv3d))


@pytest.mark.parametrize("level", range(3))
def test_a_skip_connection_connects_each_level_to_the_output(level):
    network = build(TINY)
    network.decoder[2 - level].up.requires_grad_(False).apply(lambda module: module.weight.zero_())  # cut off below
    features = []
    network.encoder[level].register_forward_hook(lambda _module, _inputs, output: features.append(output))
    network(torch.randn(2, 4, 16, 16, 16)).square().sum().backward(inputs=features)
    assert features[0].grad.abs().sum() > 0


def test_instance_norm_replaces_batch_norm():
    kinds = [type(module) for module in build(architecture(norm="instance")).modules()]
    assert (kinds.count(nn.InstanceNorm3d), kinds.count(nn.BatchNorm3d)) == (14, 0)


def test_with_instance_norm_the_output_does_not_depend_on_the_batch():
    network, images = build(architecture(norm="instance")), torch.randn(2, 4, 16, 16, 16)
    torch.testing.assert_close(network(images)[:1], network(images[:1]))


def test_strided_convolutions_replace_pooling():
    network = build(architecture(down_sampling="stride"))
    assert network(torch.zeros(1, 4, 16, 24, 8)).shape == (1, 5, 16, 24, 8)
    assert not [module for module in network.modules() if isinstance(module, nn.MaxPool3d)]


def test_weights_are_in_channels_last_format():
    weight = build(TINY).encoder[1][0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)
