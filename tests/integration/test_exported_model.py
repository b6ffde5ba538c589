"""The model of a finished run: its card, its use with the library and with ONNX Runtime."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession

from tests.support.builders import REPOSITORY
from tumorseg.inference.prediction_files import read_recorded_prediction
from tumorseg.inference.predictor import Prediction, PredictionSettings, Predictor
from tumorseg.inference.records import recorded_masks
from tumorseg.io.digests import sha256
from tumorseg.networks.devices import Execution
from tumorseg.networks.model import read_model
from tumorseg.preprocessing.crop import crop, cropped_start
from tumorseg.preprocessing.store import NormalisedCase, find_case, read_case

pytestmark = pytest.mark.slow

CPU = Execution(torch.device("cpu"), torch.float32)
WHOLE = PredictionSettings("whole", window=(16, 16, 16), overlap=0, test_time_mirroring=False, probabilities=False)


@pytest.fixture(scope="module")
def case(finished) -> NormalisedCase:
    """A held-out case."""
    prediction = min((finished.results / "predictions/fold-0").glob("*.nii.gz"))
    return read_case(find_case([*(finished.results / "normalised").iterdir()], prediction.name.removesuffix(".nii.gz")))


@pytest.fixture(scope="module")
def prediction(finished, case) -> Prediction:
    network, card = read_model(finished.results / "model/fold-0.safetensors")
    return Predictor([network], CPU, WHOLE, card.task.unused_classes).predict(case.image, cropped_start(case.origin))


def test_the_card_has_the_dropped_cases_and_a_warning_against_clinical_use(finished):
    card = (finished.results / "model/README.md").read_text()
    assert "8 cases found, 5 usable, 3 dropped" in card
    assert "not for clinical use" in card
    assert "Not usable on patients" in card
    assert sha256(finished.results / "model/fold-0.safetensors") in card
    assert str(finished.folder) not in card


def test_the_library_predicts_the_mask_of_the_workflow_from_the_model_file(finished, case, prediction):
    origin = case.origin
    masks = recorded_masks([finished.results / "predictions/fold-0"])
    written = read_recorded_prediction(masks[origin.case], origin.shape, origin.affine)
    np.testing.assert_array_equal(prediction.mask, crop(written, origin))


def test_the_example_on_the_card_reproduces_the_evaluated_mask(finished, case, tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", (finished.results / "model/README.md").read_text(), re.DOTALL)
    raw = finished.folder / "cohort" / case.origin.case / case.origin.case
    example = example.replace('"case-', f'"{raw}-').replace('"results/', f'"{finished.results}/')
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts")}
    subprocess.run([sys.executable, "-c", example], check=True, cwd=tmp_path, env=environment)
    evaluated = finished.results / f"predictions/fold-0/{case.origin.case}.nii.gz"
    assert (tmp_path / "masks/case.nii.gz").read_bytes() == evaluated.read_bytes()


def test_onnx_runtime_predicts_the_mask_of_the_library(finished, case, prediction, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.succeed("onnx")
    file = run.results / "model/fold-0.onnx"
    (entry,) = onnx.load(file).metadata_props
    sides, divisor = case.image.shape[1:], json.loads(entry.value)["divisor"]
    before = [start % divisor for start in cropped_start(case.origin)]
    around = [(first, -(first + side) % divisor) for first, side in zip(before, sides, strict=True)]
    image = np.pad(case.image, [(0, 0), *around])[None].astype(np.float32)
    (outputs,) = InferenceSession(file).run(["probabilities"], {"image": image})
    probabilities = outputs[0, :, *(slice(first, first + side) for first, side in zip(before, sides, strict=True))]
    np.testing.assert_allclose(probabilities, prediction.probabilities, atol=1e-4)
    np.testing.assert_array_equal(probabilities.argmax(axis=0), prediction.mask)
    selection = json.loads((run.results / "training/fold-0/selection.json").read_text())
    assert json.loads(entry.value)["epoch"] == selection["epoch"]
    assert json.loads(entry.value)["warning"] == "DEMONSTRATION MODEL: of no use on patients"
    assert run.planned("onnx") == {}
