"""How the masks of each method of a race are made and scored."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.benchmarks.race import peer_prediction, peers, product, run
from tests.benchmarks.race.peer_prediction import Way, predict_mask, ways
from tests.benchmarks.race.randomness import OwnRandomness
from tests.benchmarks.race.scores import case_dice, require_unseen
from tests.benchmarks.study.table import DICE
from tests.support.builders import TASK, architecture, model_card, random_network, trained_on, write_random_case
from tests.unit.race.builders import race
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.networks.training_facts import case_signature
from tumorseg.preprocessing.store import read_case, write_case

CPU = Execution(torch.device("cpu"), torch.float32)


def monai_windows(monkeypatch, side):
    pytest.importorskip("monai")
    monkeypatch.setattr(peer_prediction, "PATCH", (side,) * 3)


@pytest.mark.parametrize("mirroring", [False, True])
@pytest.mark.parametrize("windows", [False, True])
def test_another_method_predicts_labels_on_the_grid_of_the_case(tmp_path, monkeypatch, windows, mirroring):
    if windows:
        monai_windows(monkeypatch, 16)
    path = write_random_case(tmp_path / "a.safetensors", shape=(18, 20, 22), target_mm=(2, 2, 2))
    case = read_case(path, with_cropped=True)
    shapes = set()

    def predict(images):
        """Return the logits of a network that finds the last label wherever the first channel is positive."""
        shapes.add(tuple(images.shape[2:]))
        return torch.stack([torch.where((images[:, 0] > 0) == (index == 3), 5.0, 0.0) for index in range(4)], dim=1)

    mask = predict_mask(predict, case, Way(windows, mirroring))
    assert mask.shape == case.on_cropped_grid().mask.shape
    assert max(TASK.label_values) in mask
    assert set(np.unique(mask)) <= {0, *TASK.label_values}
    assert np.array_equal(predict_mask(predict, case, Way(windows=False, mirroring=False)), mask)
    assert all(side % 8 == 0 for shape in shapes for side in shape)


def test_windows_have_the_shape_of_the_training_patches_and_overlap_by_half(tmp_path, monkeypatch):
    monai_windows(monkeypatch, 8)
    case = read_case(write_random_case(tmp_path / "a.safetensors", shape=(16, 16, 16)))
    windows = []

    def predict(images):
        windows.append(images)
        return images

    predict_mask(predict, case, Way(windows=True, mirroring=False))
    lengths = [(side - 8 + 3) // 4 + 1 for side in case.mask.shape]
    assert [window.shape[2:] for window in windows] == [(8, 8, 8)] * np.prod(lengths)


def test_each_method_is_scored_in_its_own_way_and_as_whole_volumes():
    windows, mirrored = Way(windows=True, mirroring=False), Way(windows=True, mirroring=True)
    whole, whole_mirrored = Way(windows=False, mirroring=False), Way(windows=False, mirroring=True)
    assert ways(own_mirroring=True, mirroring=False) == [mirrored, whole]
    assert ways(own_mirroring=True, mirroring=True) == [mirrored, whole, whole_mirrored]
    assert ways(own_mirroring=False, mirroring=False) == [windows, whole]
    assert ways(own_mirroring=False, mirroring=True) == [windows, whole, mirrored, whole_mirrored]


def draw():
    return torch.rand(()).item(), np.random.rand()  # noqa: NPY002


def test_the_random_numbers_of_a_method_do_not_depend_on_the_others():
    def numbers(disturb):
        randomness, found = OwnRandomness(7), []
        for _ in range(3):
            with randomness.active():
                found.append(draw())
            disturb()
        return found

    assert numbers(draw) == numbers(lambda: None)
    assert len(set(numbers(draw))) == 3


def test_a_method_does_not_change_the_random_numbers_of_the_others():
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = draw()
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    with OwnRandomness(7).active():
        draw()
    assert draw() == expected


def test_masks_of_other_methods_have_consecutive_classes():
    assert peers._class_indices(torch.tensor([0, 1, 2, 4])).tolist() == [0, 1, 2, 3]


@pytest.mark.usefixtures("one_thread")
def test_our_masks_are_scored_on_the_voxels_of_the_case(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors", shape=(18, 20, 22), target_mm=(2, 2, 2))
    prediction = product.product_prediction(None)
    predict = product.product_predictor(build(architecture()), CPU, prediction)
    assert predict(read_case(path, with_cropped=True)).shape == (18, 20, 22)
    (row,) = case_dice(predict, [path])
    assert row["case"] == "a"
    assert all(0 <= row[name] <= 1 for name in DICE)


def test_a_model_is_not_scored_on_its_training_cases(tmp_path):
    path = write_random_case(tmp_path / "a.safetensors")
    case = read_case(path)
    files = {name: name for name in TASK.channel_names}
    write_case(path, replace(case, origin=replace(case.origin, files=files)))
    seen = replace(trained_on(), case_signatures=(case_signature(files, TASK),))
    require_unseen(tmp_path / "m", model_card(architecture()), [path])
    with pytest.raises(UserError, match="was trained on 1 of the 1 test cases, such as a"):
        require_unseen(tmp_path / "m", model_card(architecture(), trained_on=seen), [path])


def tiny_method(tmp_path, start_from):
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text("model: {base_channels: 2}\ntraining: {input_shape: [16, 16, 16], precision: fp32}\n")
    settings = product.read_product_settings([recipe])
    races = [race(tmp_path)]
    return run.product_method("starter", settings, 1, races, start_from=start_from).enter(races[0])


@pytest.mark.usefixtures("one_thread")
def test_our_method_trains_from_a_model(tmp_path):
    network = random_network(base_channels=2)
    write_model(tmp_path / "m.safetensors", network, model_card(network.architecture))
    competitor = tiny_method(tmp_path, tmp_path / "m.safetensors")
    predict = competitor.predictions()[0].mask
    case = read_case(tmp_path / "z.safetensors")
    expected = product.product_predictor(network, CPU, product.product_prediction(None))(case)
    assert np.array_equal(predict(case), expected)
    assert np.isfinite(competitor.step(0.0))
    assert not np.array_equal(competitor.predictions()[0].mask(case), expected)
