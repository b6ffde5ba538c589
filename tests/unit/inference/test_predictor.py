from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from tests.support.builders import TASK, hypothesis_settings, network_with_statistics, random_network
from tumorseg.inference import predictor
from tumorseg.inference.predictor import (
    NonFiniteOutputError,
    PredictionSettings,
    Predictor,
    gaussian_weights,
    sliding_windows,
)
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import GIB, DeviceMemoryError

CPU = Execution(torch.device("cpu"), torch.float32)
SETTINGS = {
    "mode": "whole",
    "window": (16, 16, 16),
    "overlap": 0.5,
    "test_time_mirroring": False,
    "probabilities": False,
}


def image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(1, 2, size=(4, *shape)).astype(np.float16)


def predict(networks, volume, **changes):
    return Predictor(networks, CPU, PredictionSettings(**{**SETTINGS, **changes}), [3]).predict(volume)


def test_the_mask_equals_that_of_the_network_on_the_whole_volume():
    net, volume = network_with_statistics(), image(20, 17, 16)
    prediction = predict([net], volume)
    padded = np.pad(volume, [(0, 0), (0, 4), (0, 7), (0, 0)])
    with torch.no_grad():
        logits = net(torch.from_numpy(padded)[None].float())[0, :, :20, :17]
    logits[3] = -torch.inf
    agreement = (prediction.mask == logits.argmax(dim=0).numpy()).mean()
    assert agreement > 0.999  # rounding may decide a tie
    assert not prediction.windowed


def test_probabilities_add_up_to_1_and_are_0_for_the_unused_class():
    prediction = predict([network_with_statistics()], image(16, 17, 18)).probabilities
    assert (prediction.dtype, prediction.shape) == (np.float32, (5, 16, 17, 18))
    np.testing.assert_allclose(prediction.sum(axis=0), 1, atol=1e-5)
    assert (prediction[3] == 0).all()


@pytest.mark.parametrize("unused", [[], [1], [0, 2, 3]])
def test_unused_classes_are_never_predicted(unused):
    settings = PredictionSettings(**SETTINGS)
    prediction = Predictor([random_network()], CPU, settings, unused).predict(image(16, 16, 16))
    assert (prediction.probabilities[unused] == 0).all()
    assert set(np.unique(prediction.mask)) == set(range(TASK.classes)) - set(unused)


def test_a_window_as_large_as_the_volume_is_the_whole_volume():
    net, volume = network_with_statistics(), image(16, 24, 16)
    windowed = predict([net], volume, mode="window", window=(32, 32, 32))
    assert windowed.windowed
    np.testing.assert_allclose(windowed.probabilities, predict([net], volume).probabilities, atol=1e-5)


def test_windows_agree_with_the_whole_volume():
    net, volume = network_with_statistics(), image(48, 16, 16)
    whole, windowed = predict([net], volume), predict([net], volume, mode="window", window=(32, 16, 16))
    assert np.abs(whole.probabilities - windowed.probabilities).mean() < 0.05
    assert not np.array_equal(whole.probabilities, windowed.probabilities)


def test_with_mirroring_a_mirrored_image_has_the_mirrored_prediction():
    net, volume = network_with_statistics(), image(16, 16, 24)
    mirrored = predict([net], volume[:, ::-1, :, ::-1].copy(), test_time_mirroring=True).probabilities[:, ::-1, :, ::-1]
    np.testing.assert_allclose(mirrored, predict([net], volume, test_time_mirroring=True).probabilities, atol=1e-4)
    plain = predict([net], volume).probabilities
    assert np.abs(plain - mirrored).max() > 1e-3


def test_several_networks_give_the_mean_of_their_probabilities():
    first, second, volume = network_with_statistics(1), network_with_statistics(2), image(16, 16, 16)
    mean = (predict([first], volume).probabilities + predict([second], volume).probabilities) / 2
    np.testing.assert_allclose(predict([first, second], volume).probabilities, mean, atol=1e-6)


@pytest.mark.parametrize(("free_bytes", "windowed"), [(GIB, False), (1, True)])
def test_windows_are_used_only_if_memory_is_too_small(monkeypatch, free_bytes, windowed):
    monkeypatch.setattr("tumorseg.inference.predictor.device_bytes", lambda _: free_bytes)
    assert predict([network_with_statistics()], image(16, 16, 24), mode="auto").windowed == windowed


def test_down_sampling_is_aligned_with_the_whole_grid():
    net, volume = network_with_statistics(), image(20, 17, 16)
    whole = np.pad(volume, [(0, 0), (11, 0), (8, 0), (14, 0)])
    expected = predict([net], whole[:, 8:, 8:, 8:]).probabilities[:, 3:, :, 6:]
    settings = PredictionSettings(**SETTINGS)
    prediction = Predictor([net], CPU, settings, [3]).predict(volume, (11, 8, 14)).probabilities
    np.testing.assert_allclose(prediction, expected, atol=1e-5)


def test_windows_are_used_after_an_out_of_memory_error(monkeypatch):
    net, volume = network_with_statistics(), image(16, 16, 24)
    expected = predict([net], volume, mode="window").probabilities
    original = Predictor._probabilities

    def only_windows(self, net, images, finite):
        if images.shape[2:] == (16, 16, 24):
            raise torch.OutOfMemoryError
        return original(self, net, images, finite)

    monkeypatch.setattr(Predictor, "_probabilities", only_windows)
    prediction = predict([net], volume, mode="auto")
    assert prediction.windowed
    np.testing.assert_array_equal(prediction.probabilities, expected)


@pytest.mark.parametrize(
    ("mode", "advice"),
    [("whole", r"set prediction\.mode to auto or window"), ("window", "lower prediction.window"), ("auto", "window")],
)
def test_too_little_memory_is_reported_with_the_setting_to_change(monkeypatch, mode, advice):
    def fail(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Predictor, "_probabilities", fail)
    with pytest.raises(DeviceMemoryError, match=f"the memory of the device is too small; .*{advice}"):
        predict([network_with_statistics()], image(16, 16, 24), mode=mode)


class Waits(TorchDispatchMode):
    """Counts the operations for which a program waits for a GPU: those that read a value, and indices from lists."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func.overloadpacket.__name__ in ("is_nonzero", "item", "_local_scalar_dense", "index_put_")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("mode", ["whole", "window"])
def test_a_prediction_waits_for_the_device_once_per_case(mode):
    with Waits() as waits:
        predict([network_with_statistics()] * 2, image(16, 16, 40), mode=mode, test_time_mirroring=True)
    assert waits.count == 1


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (float("nan"), {}),
        (float("inf"), {"mode": "window"}),
        (-float("inf"), {}),
        (float("nan"), {"test_time_mirroring": True}),
    ],
)
def test_a_non_finite_output_is_an_error(value, changes):
    net = network_with_statistics()
    net.heads[0].bias.data[1] = value
    with pytest.raises(NonFiniteOutputError, match="the output of the network is NaN or infinite in some voxels"):
        predict([network_with_statistics(), net], image(16, 16, 24), **changes)


def test_an_overflow_within_the_network_is_an_error():
    net = network_with_statistics()
    net.decoder[0].up.weight.data.fill_(3e38)
    net.decoder[0].block[0].weight.data.normal_(0, 1e5)
    with pytest.raises(NonFiniteOutputError):
        predict([net], image(16, 16, 16))


def test_voxels_without_weight_are_an_error(monkeypatch):
    monkeypatch.setattr(predictor, "gaussian_weights", torch.zeros)
    with pytest.raises(NonFiniteOutputError):
        predict([network_with_statistics()], image(16, 16, 24), mode="window")


@hypothesis_settings(200)
@given(st.integers(16, 100), st.integers(2, 12), st.floats(0, 0.9))
def test_windows_cover_every_voxel_with_the_requested_overlap(side, eighths, overlap):
    length = min(side, 8 * eighths)
    starts = [slices[0].start for slices in sliding_windows((side,), (length,), overlap)]
    assert (starts[0], starts[-1]) == (0, side - length)
    assert all(after - before <= max(1, length * (1 - overlap)) for before, after in pairwise(starts))


def test_windows_are_unique():
    windows = list(sliding_windows((40, 16, 24), (16, 16, 16), 0.5))
    assert len(windows) == 4 * 1 * 2
    assert len({tuple(part.start for part in slices) for slices in windows}) == len(windows)


def test_weights_are_largest_in_the_centre_and_positive_everywhere():
    weights = gaussian_weights((16, 24, 8)).numpy()
    assert weights.shape == (16, 24, 8)
    assert np.unravel_index(weights.argmax(), weights.shape) == (7, 11, 3)
    assert weights.min() > 0
    np.testing.assert_allclose(weights, weights[::-1, ::-1, ::-1])


@pytest.mark.parametrize("side", [16, 17, 31])
def test_the_number_of_windows_is_minimal(side):
    assert len(list(sliding_windows((side,), (16,), 0))) == -(-side // 16)
