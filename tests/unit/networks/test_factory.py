"""Properties that every network has."""

import pytest
import torch
import yaml
from torch import nn

from tests.support.builders import REPOSITORY, architecture, recipe
from tumorseg.inference.whole_volume import forward_bytes
from tumorseg.networks.base import Network
from tumorseg.networks.factory import NETWORKS, build
from tumorseg.networks.memory import OVERHEAD_BYTES
from tumorseg.task import load_task
from tumorseg.training.step_memory import peak_bytes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=NETWORKS)
def name(request) -> str:
    return request.param


def test_the_configuration_allows_exactly_the_registered_networks():
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    assert sorted(schema["properties"]["model"]["properties"]["name"]["enum"]) == sorted(NETWORKS)


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("down_sampling", ["pool", "stride"])
def test_logits_have_the_grid_of_the_input(name, norm, down_sampling):
    network = build(architecture(name=name, norm=norm, down_sampling=down_sampling))
    assert network(torch.randn(2, 4, 16, 24, 16)).shape == (2, 5, 16, 24, 16)


@pytest.mark.parametrize("depth", [1, 2, 4, 5])
def test_depth_is_the_number_of_down_samplings(name, depth):
    network = build(architecture(1, name=name, depth=depth))
    assert network.divisor == 2**depth
    sides = (2 * network.divisor, network.divisor, network.divisor)
    with torch.inference_mode():
        assert network.eval()(torch.randn(1, 4, *sides)).shape == (1, 5, *sides)
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 4, *(side - 1 for side in sides)))


@pytest.mark.parametrize("task", ["brats-meningioma-radiotherapy", "brats-metastases"])
def test_channels_and_classes_match_the_task(name, task):
    built = load_task(task)
    network = build(architecture(name=name, task=built, depth=1))
    assert network(torch.randn(1, len(built.channels), 8, 8, 8)).shape == (1, built.classes, 8, 8, 8)


def test_deep_supervision_adds_outputs_of_coarser_levels(name):
    network, images = build(architecture(name=name, deep_supervision=True)), torch.randn(1, 4, 16, 24, 32)
    levels = network.levels(images)
    assert [tuple(level.shape[1:]) for level in levels] == [(5, 16, 24, 32), (5, 8, 12, 16), (5, 4, 6, 8)]
    assert len(build(architecture(name=name)).levels(images)) == 1
    assert torch.equal(network.eval()(images), network.levels(images)[0])


def test_every_weight_has_a_gradient(name):
    network = build(architecture(name=name, down_sampling="stride", deep_supervision=True))
    sum(level.square().mean() for level in network.levels(torch.randn(1, 4, 16, 16, 16))).backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_gradient_checkpointing_changes_no_bit(name, norm):
    torch.manual_seed(0)
    plain, images = build(architecture(name=name, norm=norm)), torch.randn(2, 4, 16, 16, 16)
    checkpointing = build(plain.architecture)
    checkpointing.load_state_dict(plain.state_dict())
    checkpointing.gradient_checkpointing = True
    for _ in range(2):
        for network in (plain, checkpointing):
            network(images).square().mean().backward()
    gradients = [[parameter.grad for parameter in network.parameters()] for network in (plain, checkpointing)]
    assert all(map(torch.equal, *gradients))
    assert all(map(torch.equal, plain.state_dict().values(), checkpointing.state_dict().values()))


def test_gradient_checkpointing_saves_memory(name):
    kept = {}
    for checkpointing in (False, True):
        network = build(architecture(name=name))
        network.gradient_checkpointing = checkpointing
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, sizes=sizes: sizes.append(t.numel()), lambda _: None):
            network(torch.randn(1, 4, 16, 16, 16))
        kept[checkpointing] = sum(sizes)
    assert kept[True] < 0.6 * kept[False]


def test_memory_is_estimated_for_every_network(name):
    built = {"name": name, "depth": 2}
    once, twice = (
        peak_bytes(recipe(8, model=built, batch_size=size, input_shape=[32, 32, 32]), torch.float32) - OVERHEAD_BYTES
        for size in (1, 2)
    )
    assert 1.5 * once < twice < 2 * once
    assert forward_bytes(architecture(8, **built), (32, 32, 32), torch.float32) - OVERHEAD_BYTES < once


def test_a_network_describes_itself(name):
    described = build(architecture(name=name)).describe()
    assert "arXiv" in described
    assert len(described) < 500


def test_no_other_module_names_a_network():
    """A new network is a module and a line in factory.py."""
    own = {"factory", *(network.__module__.rpartition(".")[2] for network in NETWORKS.values())}
    names = [f".{module}" for module in own - {"factory"}] + [network.__name__ for network in NETWORKS.values()]
    others = [
        path
        for path in (REPOSITORY / "scripts").rglob("*.py")
        if not (path.parent.name == "networks" and path.stem in own)
    ]
    assert [(path.name, word) for path in others for word in names if word in path.read_text()] == []


def test_a_residual_block_adds_its_input():
    blocks = [
        block
        for block in build(architecture(name="residual_unet")).modules()
        if type(block).__name__ == "ResidualBlock"
    ]
    assert len(blocks) == 1 + 3 + 4 + 6
    for block in blocks[:3]:
        block.body[-1].weight.data.zero_()
        features = torch.randn(2, block.body[0].in_channels, 4, 4, 4).relu()
        torch.testing.assert_close(block(features), nn.functional.relu(block.shortcut(features)))
    positive = torch.rand(2, 2, 4, 4, 4)
    assert torch.equal(blocks[0](positive), positive)


def test_another_network_needs_only_the_methods_of_the_base_class():
    class Plain(Network):
        def __init__(self, built):
            super().__init__(built)
            self.layer = nn.Conv3d(built.channels, built.classes, 1)

        def forward(self, images):
            return self.layer(images)

        def levels(self, images):
            return [self(images)]

        def describe(self):
            return "one convolution"

    assert Plain(architecture(depth=1)).divisor == 2
