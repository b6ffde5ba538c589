"""The race of training methods: turns of equal CPU time, the cases of a race, tables and messages."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.benchmarks.race import cases, peer_prediction, peers, product, run
from tests.benchmarks.race.command_line import main, race_options
from tests.benchmarks.race.peer_prediction import Way, predict_mask, ways
from tests.benchmarks.race.randomness import OwnRandomness
from tests.benchmarks.race.scores import case_dice, require_unseen
from tests.benchmarks.race.table import leads, race_table
from tests.benchmarks.race.turns import train_in_turns
from tests.benchmarks.study.table import DICE, append, read_results
from tests.support.builders import TASK, architecture, model_card, random_network, trained_on, write_random_case
from tests.support.case_files import write_valid_case
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.networks.training_facts import case_signature
from tumorseg.preprocessing.store import read_case, write_case
from tumorseg.synthetic.case import case_name

CPU = Execution(torch.device("cpu"), torch.float32)


class Clock:
    """CPU minutes that only the steps of methods use."""

    def __init__(self):
        self.minutes, self.steps = 0.0, []

    def step(self, name, minutes):
        def step(done):
            self.minutes += minutes
            self.steps.append((name, done))
            return 1.0

        return step


def test_each_method_gets_the_same_time_in_turns():
    clock = Clock()
    steps = {"fast": clock.step("fast", 0.125), "slow": clock.step("slow", 0.5)}
    rounds = list(train_in_turns(steps, 2, lambda: clock.minutes, turn_minutes=0.5))
    assert len(rounds) == 4
    assert [name for name, _ in clock.steps[:10]] == ["fast"] * 4 + ["slow"] + ["fast"] * 4 + ["slow"]
    assert [(each.minutes, each.mark) for each in rounds[0].values()] == [(0.5, 0.25)] * 2
    assert {name: (each.minutes, each.steps, each.mark) for name, each in rounds[-1].items()} == {
        "fast": (2, 16, 1),
        "slow": (2, 4, 1),
    }


def test_a_step_knows_the_fraction_of_its_own_time():
    clock = Clock()
    list(train_in_turns({"a": clock.step("a", 0.25), "b": clock.step("b", 0.25)}, 1, lambda: clock.minutes, 0.25))
    assert [done for name, done in clock.steps if name == "b"] == [0, 0.25, 0.5, 0.75]


def test_a_long_step_is_not_repeated_in_the_turns_that_it_has_used():
    clock = Clock()
    steps = {"long": clock.step("long", 0.75), "short": clock.step("short", 0.25)}
    list(train_in_turns(steps, 1, lambda: clock.minutes, turn_minutes=0.25))
    assert [name for name, _ in clock.steps] == ["long", "short", "short", "short", "long", "short"]


def test_each_seed_holds_out_another_fold():
    assert cases.fold_of_seeds([5, 1, 2, 7]) == [(5, 0), (1, 1), (2, 2), (7, 0)]


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


def recipe_file(path, text="normalisation: {spacing_mm: 2}\nprediction: {test_time_mirroring: true}\n"):
    path.write_text(f"{text}training: {{learning_rate: 0.003, input_shape: [64, 64, 64], threads: 8}}\n")
    return path


def test_a_recipe_is_read_over_the_defaults(tmp_path):
    settings = product.read_product_settings(recipe_file(tmp_path / "r.yaml"))
    assert settings.mirroring
    assert settings.normalisation["spacing_mm"] == 2
    assert settings.sections["training"]["learning_rate"] == 0.003
    assert settings.sections["training"]["threads"] == product.THREADS
    assert settings.synthetic_cases == 0


def test_the_mistakes_of_a_recipe_are_printed(tmp_path):
    with pytest.raises(SystemExit, match="there is no recipe"):
        product.read_product_settings(tmp_path / "nowhere.yaml")
    path = tmp_path / "wrong.yaml"
    path.write_text("training: {learning_rate: fast}\n")
    with pytest.raises(SystemExit, match=r"(?s)wrong.yaml has mistakes:.*training.learning_rate: 'fast'"):
        product.read_product_settings(path)


def test_a_recipe_that_simulates_cases_during_the_training_is_refused(tmp_path):
    text = "normalisation: {spacing_mm: 2}\ntraining: {synthetic_fraction: 0.5, synthetic_cases: %s}\n"
    path = tmp_path / "r.yaml"
    path.write_text(text % "null")
    with pytest.raises(SystemExit, match=r"r.yaml: training.synthetic_cases is null, .*set it to a number"):
        product.read_product_settings(path)
    path.write_text(text % 30)
    assert product.read_product_settings(path).synthetic_cases == 30


def test_without_its_model_the_fine_tuned_method_is_skipped_with_a_line(tmp_path, monkeypatch, capsys):
    settings = product.read_product_settings(recipe_file(tmp_path / "r.yaml"))
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
        product.read_product_settings(recipe_file(tmp_path / "r.yaml", sections))
        for sections in (text, "", f"{text}normalisation: {{spacing_mm: 2}}\n")
    )
    assert product.find_starter(fitting, None) == tmp_path / "m.safetensors"
    assert product.find_starter(other_width, None) is None
    assert product.find_starter(other_voxels, None) is None
    lines = capsys.readouterr().out.splitlines()
    assert [name in line for name, line in zip(("model.base_channels", "spacing_mm"), lines, strict=True)] == [True] * 2


def test_short_and_long_races_have_different_recipes():
    assert [product.default_recipe(minutes).name for minutes in (8, 45)] == ["minutes.yaml", "long.yaml"]


def race(tmp_path, **changes):
    paths = [write_random_case(tmp_path / f"{name}.safetensors", seed=seed) for seed, name in enumerate("xyz")]
    return cases.Race(**{"seed": 1, "fold": 0, "training": paths[:2], "test": paths[2:], **changes})


def rows(setup, digest="d", seed=1, fold=0, mirroring=False, **dice):
    about = {"setup": setup, "digest": digest, "fold": fold, "seed": seed, "mark": 1, "mirroring": mirroring}
    about |= {"minutes": 8.0, "wall_minutes": 9.0, "steps": 400, "loss": 1.0}
    return [{**about, "case": case, **dict.fromkeys(DICE, value)} for case, value in dice.items()]


def method(name="MONAI", content="c"):
    return run.Method(name, content, lambda _: None)


def test_finished_methods_of_a_race_are_skipped(tmp_path):
    table, first, second = tmp_path / "r.csv", race(tmp_path), race(tmp_path, seed=2)
    known, missing = method(), method("nnU-Net")
    append(table, rows("MONAI", known.digest(first), z=0.5))
    assert list(run.unfinished(read_results(table), [known, missing], first, table).values()) == [missing]
    assert list(run.unfinished(read_results(table), [known, missing], second, table).values()) == [known, missing]


def test_results_of_other_settings_or_cases_are_not_mixed(tmp_path):
    table = tmp_path / "r.csv"
    append(table, rows("MONAI", method().digest(race(tmp_path)), z=0.5))
    for same_method in ("MONAI", "MONAI, windows"):
        table.unlink()
        append(table, rows(same_method, method().digest(race(tmp_path)), z=0.5))
        with pytest.raises(SystemExit, match=r"r.csv has results of MONAI with other settings, cases or minutes"):
            run.unfinished(read_results(table), [method(content="other")], race(tmp_path), table)
    other = race(tmp_path, training=race(tmp_path).training[:1])
    with pytest.raises(SystemExit, match="other settings, cases or minutes"):
        run.unfinished(read_results(table), [method()], other, table)


def test_the_digest_of_our_method_depends_on_minutes_and_start(tmp_path):
    settings = product.read_product_settings(recipe_file(tmp_path / "r.yaml"))
    races = [race(tmp_path)]
    start = tmp_path / "model.safetensors"
    start.write_bytes(b"model")
    digests = [
        run.product_method("here", settings, minutes, races, start_from=start_from).digest(races[0])
        for minutes, start_from in ((8, None), (8, None), (45, None), (8, start))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_race_trains_scores_and_writes_all_methods(tmp_path, monkeypatch, capsys):
    clock = Clock()
    monkeypatch.setattr(run, "cpu_minutes", lambda _: clock.minutes)

    def enter(_):
        perfect = run.Prediction(mirroring=False, mask=lambda case: case.mask)
        empty = run.Prediction(mirroring=True, mask=lambda case: np.zeros_like(case.mask), suffix=", windows")
        return run.Competitor(clock.step("x", 1), lambda: [perfect, empty])

    methods = [run.Method(name, name, enter) for name in ("here", "MONAI")]
    run.run_races([race(tmp_path)], methods, 2, tmp_path / "new/r.csv")
    found = read_results(tmp_path / "new/r.csv")
    assert list(zip(found["setup"], found["mirroring"], found["labels"], found["steps"], strict=True)) == [
        ("here", False, 1.0, 2),
        ("here, windows", True, 0.0, 2),
        ("MONAI", False, 1.0, 2),
        ("MONAI, windows", True, 0.0, 2),
    ]
    run.run_races([race(tmp_path)], methods, 2, tmp_path / "new/r.csv")
    assert "0 of 2 trainings to do" in capsys.readouterr().out
    assert len(read_results(tmp_path / "new/r.csv")) == 4


def test_the_scores_of_a_method_are_kept_when_a_later_one_is_interrupted(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(run, "cpu_minutes", lambda _: clock.minutes)

    def interrupt():
        raise KeyboardInterrupt

    def perfect():
        return [run.Prediction(mirroring=False, mask=lambda case: case.mask)]

    methods = [
        run.Method(name, name, lambda _, found=found: run.Competitor(clock.step("x", 1), found))
        for name, found in (("here", perfect), ("MONAI", interrupt))
    ]
    with pytest.raises(KeyboardInterrupt):
        run.run_races([race(tmp_path)], methods, 1, tmp_path / "r.csv")
    missing = run.unfinished(read_results(tmp_path / "r.csv"), methods, race(tmp_path), tmp_path / "r.csv")
    assert [each.name for each in missing.values()] == ["MONAI"]


def test_the_table_compares_with_the_better_of_the_others(tmp_path):
    path = tmp_path / "r.csv"
    append(path, [*rows("here", x=0.5, y=0.75), *rows("MONAI, windows", x=0.125, y=0.25)])
    append(path, rows("nnU-Net, whole volumes", x=0.25, y=0.25))
    append(path, rows("nnU-Net, windows", mirroring=True, x=0.25, y=0.5))
    found = leads(read_results(path))
    assert [(lead.name, lead.other, lead.measure, lead.difference) for lead in found] == [
        ("here", "nnU-Net, windows, mirroring", "labels", 0.25),
        ("here", "nnU-Net, windows, mirroring", "regions", 0.25),
    ]
    lines = race_table(read_results(path)).splitlines()
    assert lines[0].endswith("| against nnU-Net, windows, mirroring |")
    assert lines[2].startswith("| here | 1 | 1 | 0.625 |")
    assert lines[-2:] == [
        "- here minus nnU-Net, windows, mirroring, the better of the others, mean of the labels: +0.250 ± 0.000",
        "- here minus nnU-Net, windows, mirroring, the better of the others, mean of the regions: +0.250 ± 0.000",
    ]


def test_a_table_without_other_methods_has_no_comparison(tmp_path):
    append(tmp_path / "r.csv", rows("here", x=0.5))
    assert len(race_table(read_results(tmp_path / "r.csv")).splitlines()) == 3


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
    settings = product.read_product_settings(recipe)
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


def test_options_may_come_before_the_table():
    options = race_options(
        ["kept", "--training", "a", "--test", "b", "--methods", "monai,here", "--seeds", "4", "r.csv"]
    )
    assert (options.methods, options.seeds, options.minutes) == (["here", "monai"], [4], 8)
    assert race_options(["zero-shot", "m", "--test", "b", "--results", "r.csv"]).results == Path("r.csv")


def test_an_unknown_method_is_refused(capsys):
    with pytest.raises(SystemExit):
        race_options(["run", "r.csv", "--methods", "unet"])
    assert "there is no method unet; there are here, starter, nnunet, monai" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--seeds", "1,1", "1,1 is not a list of different numbers"),
        ("--seeds", "one", "one is not a list of different numbers"),
        ("--minutes", "long", "long is not a number above 0"),
        ("--minutes", "0", "0 is not a number above 0"),
    ],
)
def test_wrong_numbers_are_refused(option, value, message, capsys):
    with pytest.raises(SystemExit):
        race_options(["run", "r.csv", option, value])
    assert message in capsys.readouterr().err


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(SystemExit, match="there is no table"):
        main(["table", str(tmp_path / "none.csv")])


def test_methods_without_their_packages_are_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=r"not installed: monai; .*--methods"):
        peers.require_packages(["MONAI"])
