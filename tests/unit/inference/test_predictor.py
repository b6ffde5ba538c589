from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import TASK, architecture, hypothesis_settings, random_network
from tumorseg.inference import predictor
from tumorseg.inference.fused_network import forward_bytes, fuse_batchnorm
from tumorseg.inference.predictor import (
    NonFiniteOutputError,
    PredictionSettings,
    Predictor,
    gaussian_weights,
    sliding_windows,
)
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import GIB
from tumorseg.networks.registry import NETWORKS, build

CPU = Execution(torch.device("cpu"), torch.float32)
SETTINGS = {
    "mode": "whole",
    "window": (16, 16, 16),
    "overlap": 0.5,
    "test_time_mirroring": False,
    "probabilities": False,
}
EVERY_NETWORK = [
    {"name": name, "norm": norm, "down_sampling": down_sampling, "deep_supervision": down_sampling == "stride"}
    for name, norm, down_sampling in product(NETWORKS, ("batch", "instance"), ("pool", "stride"))
]


def network(seed: int = 0, **changes):
    """A network whose batch norms have seen something, so that folding them matters."""
    torch.manual_seed(seed)
    made = build(architecture(4, **changes)).train()
    for _ in range(3):
        made(2 + 3 * torch.randn(1, 4, 16, 16, 16))
    return made.eval()


def image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(1, 2, size=(4, *shape)).astype(np.float16)


def predict(networks, volume, **changes):
    return Predictor(networks, CPU, PredictionSettings(**{**SETTINGS, **changes}), [3]).predict(volume)


@pytest.mark.parametrize("changes", EVERY_NETWORK)
def test_a_folded_network_gives_the_same_logits(changes):
    made, images = network(**changes), torch.randn(1, 4, 16, 24, 16)
    with torch.inference_mode():
        torch.testing.assert_close(fuse_batchnorm(made)(images), made(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_folding_takes_all_batch_norms_and_leaves_the_network_as_it_was(name):
    made = network(name=name)
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    assert not any(isinstance(module, torch.nn.BatchNorm3d) for module in fuse_batchnorm(made).modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in made.state_dict().items())


def test_batch_norm_over_several_gpus_is_folded_too():
    made, images = network(), torch.randn(1, 4, 16, 16, 16)
    synchronised = fuse_batchnorm(torch.nn.SyncBatchNorm.convert_sync_batchnorm(network()))
    assert not any(isinstance(module, torch.nn.SyncBatchNorm) for module in synchronised.modules())
    with torch.inference_mode():
        assert torch.equal(synchronised(images), fuse_batchnorm(made)(images))


def test_the_mask_is_that_of_the_network_over_the_whole_volume():
    made, volume = network(), image(20, 17, 16)
    found = predict([made], volume)
    padded = np.pad(volume, [(0, 0), (0, 4), (0, 7), (0, 0)])
    with torch.no_grad():
        logits = made(torch.from_numpy(padded)[None].float())[0, :, :20, :17]
    logits[3] = -torch.inf
    agreeing = (found.mask == logits.argmax(dim=0).numpy()).mean()
    assert agreeing > 0.999  # rounding decides a tie now and then
    assert not found.windowed


def test_probabilities_add_up_and_leave_out_the_class_that_no_voxel_has():
    found = predict([network()], image(16, 17, 18)).probabilities
    assert (found.dtype, found.shape) == (np.float32, (5, 16, 17, 18))
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
    assert (found[3] == 0).all()


@pytest.mark.parametrize("unused", [[], [1], [0, 2, 3]])
def test_any_set_of_classes_is_never_chosen(unused):
    settings = PredictionSettings(**SETTINGS)
    found = Predictor([random_network()], CPU, settings, unused).predict(image(16, 16, 16))
    assert (found.probabilities[unused] == 0).all()
    assert set(np.unique(found.mask)) == set(range(TASK.classes)) - set(unused)


def test_a_window_as_large_as_the_volume_is_the_whole_volume():
    made, volume = network(), image(16, 24, 16)
    windowed = predict([made], volume, mode="window", window=(32, 32, 32))
    assert windowed.windowed
    np.testing.assert_allclose(windowed.probabilities, predict([made], volume).probabilities, atol=1e-5)


def test_windows_agree_with_the_whole_volume_in_the_middle_of_each():
    made, volume = network(), image(48, 16, 16)
    whole, windowed = predict([made], volume), predict([made], volume, mode="window", window=(32, 16, 16))
    assert np.abs(whole.probabilities - windowed.probabilities).mean() < 0.05
    assert not np.array_equal(whole.probabilities, windowed.probabilities)


def test_with_flips_a_mirrored_image_has_the_mirrored_prediction():
    made, volume = network(), image(16, 16, 24)
    mirrored = predict([made], volume[:, ::-1, :, ::-1].copy(), test_time_mirroring=True).probabilities[
        :, ::-1, :, ::-1
    ]
    np.testing.assert_allclose(mirrored, predict([made], volume, test_time_mirroring=True).probabilities, atol=1e-4)
    plain = predict([made], volume).probabilities
    assert np.abs(plain - mirrored).max() > 1e-3


def test_several_networks_give_the_mean_of_their_probabilities():
    one, other, volume = network(1), network(2), image(16, 16, 16)
    mean = (predict([one], volume).probabilities + predict([other], volume).probabilities) / 2
    np.testing.assert_allclose(predict([one, other], volume).probabilities, mean, atol=1e-6)


@pytest.mark.parametrize(("room", "windowed"), [(GIB, False), (1, True)])
def test_windows_are_taken_only_where_memory_forces_it(monkeypatch, room, windowed):
    monkeypatch.setattr("tumorseg.inference.predictor.device_bytes", lambda _: room)
    assert predict([network()], image(16, 16, 24), mode="auto").windowed == windowed


def test_the_memory_of_a_brain_at_once_is_near_what_was_measured():
    assert forward_bytes(architecture(16), (144, 192, 144), torch.float32) / GIB == pytest.approx(1.6, rel=0.15)


def test_down_samplings_fall_as_they_would_over_the_whole_grid():
    made, volume = network(), image(20, 17, 16)
    whole = np.pad(volume, [(0, 0), (11, 0), (8, 0), (14, 0)])
    expected = predict([made], whole[:, 8:, 8:, 8:]).probabilities[:, 3:, :, 6:]
    settings = PredictionSettings(**SETTINGS)
    found = Predictor([made], CPU, settings, [3]).predict(volume, (11, 8, 14)).probabilities
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_where_the_memory_that_is_left_is_too_little_windows_are_taken(monkeypatch):
    made, volume = network(), image(16, 16, 24)
    expected = predict([made], volume, mode="window").probabilities
    alone = Predictor._probabilities

    def only_windows(self, net, images):
        if images.shape[2:] == (16, 16, 24):
            raise torch.OutOfMemoryError
        return alone(self, net, images)

    monkeypatch.setattr(Predictor, "_probabilities", only_windows)
    found = predict([made], volume, mode="auto")
    assert found.windowed
    np.testing.assert_array_equal(found.probabilities, expected)
    with pytest.raises(torch.OutOfMemoryError):
        predict([made], volume, mode="whole")


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (float("nan"), {}),
        (float("inf"), {"mode": "window"}),
        (-float("inf"), {}),
        (float("nan"), {"test_time_mirroring": True}),
    ],
)
def test_an_answer_that_is_no_number_is_an_error_and_no_empty_mask(value, changes):
    made = network()
    made.heads[0].bias.data[1] = value
    with pytest.raises(NonFiniteOutputError, match="the output of the network is NaN or infinite in some voxels"):
        predict([network(), made], image(16, 16, 24), **changes)


def test_an_overflow_within_the_network_is_an_error():
    made = network()
    made.decoder[0].up.weight.data.fill_(3e38)
    made.decoder[0].block[0].weight.data.normal_(0, 1e5)
    with pytest.raises(NonFiniteOutputError):
        predict([made], image(16, 16, 16))


def test_voxels_that_no_window_counts_are_an_error(monkeypatch):
    monkeypatch.setattr(predictor, "gaussian_weights", torch.zeros)
    with pytest.raises(NonFiniteOutputError):
        predict([network()], image(16, 16, 24), mode="window")


@hypothesis_settings(200)
@given(st.integers(16, 100), st.integers(2, 12), st.floats(0, 0.9))
def test_windows_cover_every_voxel_with_the_overlap_that_is_asked(side, eighths, overlap):
    length = min(side, 8 * eighths)
    starts = [place[0].start for place in sliding_windows((side,), (length,), overlap)]
    assert (starts[0], starts[-1]) == (0, side - length)
    assert all(after - before <= max(1, length * (1 - overlap)) for before, after in pairwise(starts))


def test_no_window_is_taken_twice():
    places = list(sliding_windows((40, 16, 24), (16, 16, 16), 0.5))
    assert len(places) == 4 * 1 * 2
    assert len({tuple(part.start for part in place) for place in places}) == len(places)


def test_a_window_counts_most_in_its_middle_and_a_little_everywhere():
    weights = gaussian_weights((16, 24, 8)).numpy()
    assert weights.shape == (16, 24, 8)
    assert np.unravel_index(weights.argmax(), weights.shape) == (7, 11, 3)
    assert weights.min() > 0
    np.testing.assert_allclose(weights, weights[::-1, ::-1, ::-1])


@pytest.mark.parametrize("side", [16, 17, 31])
def test_as_few_windows_as_that_takes(side):
    assert len(list(sliding_windows((side,), (16,), 0))) == -(-side // 16)
