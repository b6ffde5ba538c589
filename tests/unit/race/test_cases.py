"""The cases and the recipe of a race, and the messages if they do not fit."""

import pandas as pd
import pytest
import torch

from tests.benchmarks.race import cases, product
from tests.support.builders import model_card, random_network
from tests.support.case_files import write_valid_case
from tests.unit.race.builders import recipe_file
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.model import write_model
from tumorseg.synthetic.case import case_name

CPU = Execution(torch.device("cpu"), torch.float32)


def folder(root, *names):
    for seed, name in enumerate(names):
        write_valid_case(root, name, seed=seed)
    return root


def test_the_cases_of_both_folders_are_found(tmp_path):
    one = folder(tmp_path / "a", "BraTS-GLI-00001-000", "BraTS-GLI-00002-000")
    two = folder(tmp_path / "b", "BraTS-GLI-00003-000")
    assert cases.case_names({"--training": one, "--test": two}) == {
        "--training": ["BraTS-GLI-00001-000", "BraTS-GLI-00002-000"],
        "--test": ["BraTS-GLI-00003-000"],
    }


def test_a_missing_folder_is_named_with_its_option(tmp_path):
    one = folder(tmp_path / "a", "BraTS-GLI-00001-000")
    with pytest.raises(UserError, match=r"--test: there is no folder .*nowhere"):
        cases.case_names({"--training": one, "--test": tmp_path / "nowhere"})


def test_a_folder_without_cases_is_named_with_its_option(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="--test: no image was found"):
        cases.case_names({"--test": tmp_path / "empty"})


def test_a_case_must_not_be_in_both_folders(tmp_path):
    one = folder(tmp_path / "a", "BraTS-GLI-00001-000")
    two = folder(tmp_path / "b", "BraTS-GLI-00001-000")
    with pytest.raises(UserError, match="the case BraTS-GLI-00001-000 is in the folders of --training and --test"):
        cases.case_names({"--training": one, "--test": two})


def manifest(*rows):
    return pd.DataFrame(rows, columns=["case", "patient", "usable"])


def test_cases_that_are_not_usable_are_left_out():
    table = manifest(("a-0", "a", True), ("b-0", "b", False), ("c-0", "c", True))
    found = cases.usable_cases(table, {"--training": ["a-0", "b-0"], "--test": ["c-0"]})
    assert found == {"--training": ["a-0"], "--test": ["c-0"]}
    with pytest.raises(UserError, match="--test: none of its 1 cases is usable"):
        cases.usable_cases(table, {"--training": ["a-0"], "--test": ["b-0"]})


def test_a_patient_must_not_be_in_both_folders():
    table = manifest(("a-0", "a", True), ("a-1", "a", True))
    with pytest.raises(UserError, match="the patient a is in the folders"):
        cases.usable_cases(table, {"--training": ["a-0"], "--test": ["a-1"]})


def test_synthetic_cases_are_simulated_again_only_after_a_change(tmp_path, monkeypatch):
    def write_pool(folder, _settings, _task, _seed, indices, **_):
        simulated.extend(indices)
        for index in indices:
            path = folder / f"{case_name(0, index)}.safetensors"
            path.touch()
            yield path

    def prepare(number, code="a", margin_voxels=2):
        simulated.clear()
        monkeypatch.setattr(cases, "simulator_digest", lambda: code)
        paths = cases.prepare_synthetic(tmp_path, {"margin_voxels": margin_voxels}, number)
        assert [path.exists() for path in paths] == [True] * number
        return list(simulated)

    simulated = []
    monkeypatch.setattr(cases, "write_pool", write_pool)
    assert prepare(2) == [0, 1]
    assert prepare(3) == [2]
    assert prepare(3, code="b") == prepare(3, margin_voxels=4) == [0, 1, 2]


def test_a_recipe_is_read_over_the_defaults(tmp_path):
    settings = product.read_product_settings([recipe_file(tmp_path / "r.yaml")])
    assert settings.mirroring
    assert settings.normalisation["spacing_mm"] == 2
    assert settings.sections["training"]["learning_rate"] == 0.003
    assert settings.sections["training"]["threads"] == product.THREADS
    assert settings.synthetic_cases == 0


def test_the_mistakes_of_a_recipe_are_printed(tmp_path):
    with pytest.raises(SystemExit, match="there is no recipe"):
        product.read_product_settings([tmp_path / "nowhere.yaml"])
    path = tmp_path / "wrong.yaml"
    path.write_text("training: {learning_rate: fast}\n")
    with pytest.raises(SystemExit, match=r"(?s)wrong.yaml has mistakes:.*training.learning_rate: 'fast'"):
        product.read_product_settings([path])


def test_a_recipe_that_simulates_cases_during_the_training_is_refused(tmp_path):
    text = "normalisation: {spacing_mm: 2}\ntraining: {synthetic_fraction: 0.5, synthetic_cases: %s}\n"
    path = tmp_path / "r.yaml"
    path.write_text(text % "null")
    with pytest.raises(SystemExit, match=r"r.yaml: training.synthetic_cases is null, .*set it to a number"):
        product.read_product_settings([path])
    path.write_text(text % 30)
    assert product.read_product_settings([path]).synthetic_cases == 30


def test_without_its_model_the_fine_tuned_method_is_skipped_with_a_line(tmp_path, monkeypatch, capsys):
    settings = product.read_product_settings([recipe_file(tmp_path / "r.yaml")])
    monkeypatch.setattr(product, "STARTER", tmp_path / "starter.safetensors")
    assert product.find_starter(settings, None) is None
    assert capsys.readouterr().out.startswith(f"without the starter model: {tmp_path / 'starter.safetensors'}")
    with pytest.raises(SystemExit, match="--starter: "):
        product.find_starter(settings, tmp_path / "other.safetensors")


@pytest.mark.usefixtures("one_thread")
def test_a_model_to_start_from_must_fit_the_recipe(tmp_path, monkeypatch, capsys):
    network = random_network(base_channels=2)
    write_model(tmp_path / "m.safetensors", network, model_card(network.architecture))
    monkeypatch.setattr(product, "STARTER", tmp_path / "m.safetensors")
    text = "model: {base_channels: 2}\n"
    fitting, other_width, other_voxels = (
        product.read_product_settings([recipe_file(tmp_path / "r.yaml", sections)])
        for sections in (text, "", f"{text}normalisation: {{spacing_mm: 2}}\n")
    )
    assert product.find_starter(fitting, None) == tmp_path / "m.safetensors"
    assert product.find_starter(other_width, None) is None
    assert product.find_starter(other_voxels, None) is None
    lines = capsys.readouterr().out.splitlines()
    assert [name in line for name, line in zip(("model.base_channels", "spacing_mm"), lines, strict=True)] == [True] * 2


def test_short_and_long_races_have_different_recipes():
    found = [product.default_recipes(minutes, from_random_weights=True) for minutes in (8, 45)]
    assert [[path.name for path in paths] for paths in found] == [
        ["minutes.yaml", "random_weights.yaml"],
        ["long.yaml"],
    ]


def test_random_weights_have_settings_of_their_own():
    start, random = (
        product.read_product_settings(product.default_recipes(8, from_random_weights=from_random_weights))
        for from_random_weights in (False, True)
    )
    different = [
        (settings.sections["training"]["learning_rate"], settings.sections["training"]["input_shape"])
        for settings in (start, random)
    ]
    assert different == [(0.002, [64, 64, 64]), (0.005, [40, 40, 40])]
    assert start.normalisation == random.normalisation
