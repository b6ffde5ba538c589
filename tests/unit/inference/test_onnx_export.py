"""The ONNX file of a model, run by ONNX Runtime and compared with the prediction of the library."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession

from tests.support.builders import REPOSITORY, architecture, model_card
from tumorseg.inference.onnx_export import _Probabilities, write_onnx
from tumorseg.inference.predictor import PredictionSettings, Predictor
from tumorseg.io.digests import sha256
from tumorseg.io.files import write_json
from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import NETWORKS, build
from tumorseg.networks.model import ModelCard, write_model
from tumorseg.task import load_task

CPU = Execution(torch.device("cpu"), torch.float32)
WHOLE = PredictionSettings("whole", window=(16, 16, 16), overlap=0, test_time_mirroring=False, probabilities=False)
ARCHITECTURES = {
    f"{name} {norm}": architecture(name=name, norm=norm, down_sampling=down_sampling, deep_supervision=True)
    for name in NETWORKS
    for norm, down_sampling in (("batch", "pool"), ("instance", "stride"))
}


@dataclass(frozen=True)
class Exported:
    network: Network
    card: ModelCard
    onnx: Path


def trained_network(network_architecture: Architecture) -> Network:
    """Return a network with changed running statistics that predicts all labels with high probability."""
    torch.manual_seed(0)
    network, images = build(network_architecture), 2 * torch.randn(2, 4, 16, 16, 16) + 1
    for _ in range(3):
        network(images)  # moves the running statistics of batch norm
    logits = network.eval()(images).detach()
    scale, mean = 10 / logits.std(dim=(0, 2, 3, 4)), logits.mean(dim=(0, 2, 3, 4))
    head = network.heads[0]
    head.weight.data *= scale[:, None, None, None, None]
    head.bias.data = (head.bias.data - mean) * scale
    return network


@pytest.fixture(scope="module", params=ARCHITECTURES)
def exported(request, tmp_path_factory) -> Exported:
    network, path = trained_network(ARCHITECTURES[request.param]), tmp_path_factory.mktemp("model") / "fold-2.onnx"
    card = model_card(network.architecture, fold=2, epoch=7)
    write_onnx(path, network, card)
    return Exported(network, card, path)


def probabilities(file: Path, image: np.ndarray) -> np.ndarray:
    (output,) = InferenceSession(file).run(["probabilities"], {"image": image[None].astype(np.float32)})
    return output[0]


@pytest.mark.parametrize("shape", [(16, 16, 16), (24, 16, 32), (8, 40, 16)])
def test_another_runtime_predicts_the_masks_of_the_library(exported, shape):
    image = np.random.default_rng(1).normal(size=(4, *shape)).astype(np.float16)
    expected = Predictor([exported.network], CPU, WHOLE, [3]).predict(image)
    output = probabilities(exported.onnx, image)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, expected.probabilities, atol=1e-4)
    np.testing.assert_array_equal(output.argmax(axis=0), expected.mask)
    assert len(np.unique(expected.mask)) == 4


def test_the_unused_class_has_probability_0(exported):
    output = probabilities(exported.onnx, np.full((4, 16, 16, 16), 100, np.float16))
    assert not output[3].any()
    np.testing.assert_allclose(output.sum(axis=0), 1, atol=1e-5)


def test_the_metadata_describes_how_to_prepare_an_input(exported):
    (entry,) = onnx.load(exported.onnx).metadata_props
    assert entry.key == "tumorseg"
    content = json.loads(entry.value)
    assert content["normalisation"] == {"clip_percentiles": [0.5, 99.5], "margin_voxels": 1}
    assert (content["fold"], content["epoch"], content["checkpoint"]) == (2, 7, "ab" * 32)
    assert content["trained_on"]["spacing_mm"][0]["median"] == 1
    assert content["warning"] == ""
    assert content["channels"] == ["t1", "t1ce", "t2", "flair"]
    assert content["task"]["name"] == "brats-glioma"
    assert content["regions"] == {"WT": [1, 2, 4], "TC": [1, 4], "ET": [4]}
    assert content["orientation"] == "LPS"
    assert content["labels"]["4"] == "enhancing tumour"
    assert content["architecture"]["deep_supervision"] is True


@pytest.mark.parametrize("name", ["brats-meningioma-radiotherapy", "brats-paediatric"])
def test_a_model_of_another_task_has_its_channels_and_classes(name, tmp_path):
    task = load_task(name)
    network = build(architecture(task=task))
    write_onnx(tmp_path / "model.onnx", network, model_card(network.architecture, task))
    image = np.random.default_rng(1).normal(size=(len(task.channels), 16, 16, 16)).astype(np.float16)
    expected = Predictor([network], CPU, WHOLE, task.unused_classes).predict(image).probabilities
    np.testing.assert_allclose(probabilities(tmp_path / "model.onnx", image), expected, atol=1e-4)


@pytest.mark.parametrize("unused", [[], [1, 2], [0, 2, 4]])
def test_all_unused_classes_have_probability_0(unused):
    network, image = build(architecture()), torch.randn(4, 16, 16, 16).half()
    with torch.inference_mode():
        output = _Probabilities(network, unused).eval()(image[None].float())[0].numpy()
    assert not output[unused].any()
    expected = Predictor([network], CPU, WHOLE, unused).predict(image.numpy()).probabilities
    np.testing.assert_allclose(output, expected, atol=1e-4)


@pytest.mark.parametrize("exported", ["unet batch"], indirect=True)
def test_the_script_writes_the_same_bytes_without_local_paths(exported, tmp_path):
    model, path = tmp_path / "fold-2.safetensors", tmp_path / "fold-2.onnx"
    write_model(model, exported.network, exported.card)
    selection = tmp_path / "selection.json"
    write_json(selection, {"fold": 2, "digest": sha256(model)})
    command = [sys.executable, REPOSITORY / "scripts/export_onnx.py", "--model", model, "--output", path]
    command += ["--selection", selection, "--fold", "2", "--task", "brats-glioma"]
    completed = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = [line for line in completed.stderr.splitlines() if ": at work for " not in line]
    assert len(lines) == 1, completed.stderr  # without output of the exporter
    content = path.read_bytes()
    assert content == exported.onnx.read_bytes()
    for folder in (REPOSITORY, tmp_path, Path(torch.__file__).parent, Path.home()):
        assert str(folder).encode() not in content
