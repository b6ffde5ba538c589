"""Calibration and left-out modalities, with a network that predicts every label."""

import json

import pandas as pd
import pytest
import torch
import yaml

import calibration
import leave_out_modalities
from tests.support.builders import REPOSITORY, TASK, model_card, random_network, write_listed_data, write_random_case
from tumorseg.cohort.splits import FoldAssignment, fold_digest, write_splits
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.digests import sha256
from tumorseg.io.files import write_json
from tumorseg.metrics.overlap import overlaps
from tumorseg.networks.devices import Execution
from tumorseg.networks.model import read_model, write_model
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


def test_leaving_out_a_modality_changes_the_dice_and_leaving_out_none_does_not(arguments, tmp_path):
    leave_out_modalities.main(arguments)
    dice = pd.read_csv(tmp_path / "out", sep="\t").set_index(["case", "left_out", "region"])["dice"].sort_index()
    network, _ = read_model(tmp_path / "model")
    segmenter = Segmenter([network], Execution(torch.device("cpu"), torch.float32), PREDICTION, task=TASK)
    for name in CASES:
        case = read_case(tmp_path / f"normalised/{name}.safetensors", with_cropped=True)
        mask, _ = segmenter.mask_of(segmenter.predict(case.image, case.origin), case.origin)
        for structure, overlap in overlaps(case.on_cropped_grid().mask, mask, load_task()).items():
            assert mask.shape == (16, 16, 16)
            assert overlap.predicted_voxels > 0
            assert dice[name, "none", structure] == pytest.approx(overlap.dice)
        for channel in TASK.channel_names:
            assert not dice[name, channel].equals(dice[name, "none"])


def test_every_brain_voxel_of_every_held_out_case_counts_once(arguments, tmp_path):
    calibration.main(arguments)
    curves = json.loads((tmp_path / "out").read_text())["curves"]
    for curve in curves.values():
        assert sum(part["voxels"] for part in curve["bins"]) == len(CASES) * 16**3
        assert curve["expected_calibration_error"] > 0  # since the masks are noise
