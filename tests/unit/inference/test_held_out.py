"""Calibration and subsets of the modalities, with a network that predicts every label."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch
import yaml

import calibration
import leave_out_modalities
from tests.support.builders import (
    REPOSITORY,
    TASK,
    model_card,
    random_network,
    trained_on,
    write_listed_data,
    write_random_case,
)
from tumorseg.cohort.splits import FoldAssignment, fold_digest, write_splits
from tumorseg.inference.channel_subsets import case_subset_dice
from tumorseg.inference.held_out import segment_fold
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.digests import sha256
from tumorseg.io.files import write_json
from tumorseg.metrics.overlap import overlaps
from tumorseg.networks.devices import Execution
from tumorseg.networks.model import read_model, write_model
from tumorseg.networks.subset_scores import read_subset_scores
from tumorseg.preprocessing.store import read_case
from tumorseg.task import load_task

CASES = ("a", "b")
EXECUTION = {"device": "cpu", "precision": "fp32", "threads": 1, "deterministic": False}
PREDICTION = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["prediction"]


@pytest.fixture(params=[None, (2, 2, 2)], ids=["original voxels", "resampled"])
def arguments(tmp_path, request):
    network = random_network()
    for seed, case in enumerate((*CASES, "c")):
        write_random_case(tmp_path / f"normalised/{case}.safetensors", seed=seed, target_mm=request.param)
    splits = [*(FoldAssignment(case, case, 0) for case in CASES), FoldAssignment("c", "c", -1)]
    write_splits(tmp_path / "splits.tsv", splits)
    write_model(tmp_path / "model", network, model_card(network.architecture, split=fold_digest(splits, 0)))
    write_json(tmp_path / "selection.json", {"fold": 0, "digest": sha256(tmp_path / "model")})
    options = ["--models", tmp_path / "model", "--selections", tmp_path / "selection.json"]
    data = write_listed_data(tmp_path / "data.json", tmp_path / "normalised", splits, 0)
    options += ["--normalised", tmp_path / "normalised", "--data", data]
    options += ["--splits", tmp_path / "splits.tsv", "--output", tmp_path / "out", "--task", "brats-glioma"]
    return [*map(str, options), "--settings", json.dumps({"prediction": PREDICTION, "execution": EXECUTION})]


def subset_arguments(arguments, folder) -> list[str]:
    """Return the arguments of leave_out_modalities.py, which has several outputs."""
    start = arguments.index("--output")
    outputs = ["--cases", folder / "cases.csv", "--summary", folder / "summary.csv"]
    outputs += ["--scores", folder / "model.subsets.json"]
    return [*arguments[:start], *map(str, outputs), *arguments[start + 2 :]]


def test_fewer_modalities_change_the_dice_and_all_of_them_do_not(arguments, tmp_path):
    leave_out_modalities.main(subset_arguments(arguments, tmp_path))
    dice = pd.read_csv(tmp_path / "cases.csv").set_index(["case", "channels", "region"])["dice"].sort_index()
    network, _ = read_model(tmp_path / "model")
    segmenter = Segmenter([network], Execution(torch.device("cpu"), torch.float32), PREDICTION, task=TASK)
    subsets = [",".join(subset) for subset in TASK.channel_subsets]
    assert len(dice) == len(CASES) * 15 * len(TASK.structures)
    for name in CASES:
        case = read_case(tmp_path / f"normalised/{name}.safetensors", with_cropped=True)
        mask, _ = segmenter.mask_of(segmenter.predict(case.image, case.origin), case.origin)
        for structure, overlap in overlaps(case.on_cropped_grid().mask, mask, load_task()).items():
            assert mask.shape == (16, 16, 16)
            assert overlap.predicted_voxels > 0
            assert dice[name, subsets[0], structure] == pytest.approx(overlap.dice)
        for subset in subsets[1:]:
            assert not dice[name, subset].equals(dice[name, subsets[0]])


def test_the_means_of_each_subset_are_beside_the_model_and_bound_to_it(arguments, tmp_path):
    leave_out_modalities.main(subset_arguments(arguments, tmp_path))
    cases, summary = (pd.read_csv(tmp_path / name) for name in ("cases.csv", "summary.csv"))
    means = cases.groupby(["channels", "region"])["dice"].mean()
    path, digest = tmp_path / "model.subsets.json", sha256(tmp_path / "model")
    found = read_subset_scores(path, digest, TASK)
    assert found.other_settings(PREDICTION) == []
    scores = found.subsets
    assert [score.channels for score in scores] == list(TASK.channel_subsets)
    assert summary["channels"].tolist() == [",".join(score.channels) for score in scores]
    assert set(summary["cases"]) == {len(CASES)} == {score.cases for score in scores}
    assert scores[3].dice["TC"] == pytest.approx(means["t1,t2,flair", "TC"])
    assert summary["dice_TC"].tolist() == pytest.approx([score.dice["TC"] for score in scores])
    assert read_subset_scores(path, "0" * 64, TASK) is None


def test_subsets_that_the_training_did_not_have_are_marked(arguments, tmp_path):
    leave_out_modalities.main(subset_arguments(arguments, tmp_path))
    assert pd.read_csv(tmp_path / "summary.csv")["trained"].tolist() == [True, *[False] * 14]


def test_a_case_is_scored_only_with_subsets_of_the_channels_that_it_has(tmp_path):
    case = read_case(write_random_case(tmp_path / "a.safetensors"))
    intensities = {name: case.origin.intensities[name] for name in ("t1", "flair")}
    case.image[[1, 2]] = 0
    case = replace(case, origin=replace(case.origin, intensities=intensities))
    cpu = Execution(torch.device("cpu"), torch.float32)
    segmenter = Segmenter([random_network()], cpu, PREDICTION, task=TASK)
    assert [subset for subset, _ in case_subset_dice(case, segmenter)] == [("t1", "flair"), ("t1",), ("flair",)]


def test_held_out_cases_with_channels_that_the_training_did_not_have_are_a_warning(tmp_path, caplog):
    path = write_random_case(tmp_path / "a.safetensors")
    network = random_network()
    card = model_card(network.architecture, trained_on=replace(trained_on(), channel_sets=(("t1", "flair"),)))
    cpu = Execution(torch.device("cpu"), torch.float32)
    segment_fold(
        (network, card, "d"), 0, {"a": path}, tmp_path / "m", tmp_path / "m.json", execution=cpu, section=PREDICTION
    )
    assert "the model of fold 0 was not trained for the images of 1 held-out case, such as a: " in caplog.text
    assert "train with `training.channel_dropout`" in caplog.text
    assert json.loads((tmp_path / "m.json").read_text())["untrained_channels"] == ["a"]


def test_every_brain_voxel_of_every_held_out_case_counts_once(arguments, tmp_path):
    calibration.main(arguments)
    curves = json.loads((tmp_path / "out").read_text())["curves"]
    for curve in curves.values():
        assert sum(part["voxels"] for part in curve["bins"]) == len(CASES) * 16**3
        assert curve["expected_calibration_error"] > 0  # since the masks are noise
