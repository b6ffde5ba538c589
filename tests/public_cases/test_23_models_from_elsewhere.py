"""Case 23: files that are not models of this workflow."""

import os

import pytest
import torch

from tests.public_cases import generate_case
from tests.public_cases.segmenting import segment_workflow
from tests.support.builders import model_card, random_network
from tumorseg.networks.model import write_model
from tumorseg.task import load_task

pytestmark = pytest.mark.slow

MESSAGES = {
    "pointer.safetensors": "Git LFS pointer",
    "other.safetensors": "a safetensors file of another program",
    "half.safetensors": "the file is truncated",
    "pickle.pth": "a file of torch.save or pickle",
    "results/training/fold-0/epoch-0003.pt": "give the exported model, such as results/model/fold-0.safetensors",
    "fifo.safetensors": "this is a FIFO (named pipe)",
    "huge.safetensors": "not a valid model",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The models of the public case, a checkpoint, a FIFO and a huge file."""
    data = generate_case("23", tmp_path_factory.mktemp("case"))
    checkpoint = data / "models/results/training/fold-0/epoch-0003.pt"
    checkpoint.parent.mkdir(parents=True)
    torch.save({"weights": {"a": torch.zeros(3)}, "epoch": 3}, checkpoint)
    os.mkfifo(data / "models/fifo.safetensors")
    with (data / "models/huge.safetensors").open("wb") as file:
        file.truncate(100 * 2**30)
    return data


@pytest.mark.parametrize("name", MESSAGES)
def test_the_file_is_refused_by_name_before_any_job_and_not_executed(data, tmp_path, name):
    model = data / "models" / name
    run = segment_workflow(tmp_path / "run", data / "patients", [model])
    completed = run.run("segment")
    assert completed.returncode != 0
    assert f"segment.models: {model}: " in completed.stdout
    assert MESSAGES[name] in completed.stdout
    assert "Traceback" not in completed.stdout
    assert not (run.results / "segmented").exists()
    assert not (data / "it ran").exists()


def test_a_model_of_another_task_is_refused_before_any_job_and_both_tasks_are_named(data, tmp_path):
    task, model = load_task("brats-glioma-post-treatment"), tmp_path / "other.safetensors"
    network = random_network(task=task)
    write_model(model, network, model_card(network.architecture, task))
    run = segment_workflow(tmp_path / "run", data / "patients", [model])
    output = run.run("segment").stdout
    assert f"segment.models: {model}: this model is of the task brats-glioma-post-treatment, not brats-glioma" in output
    assert "set cohort.task to brats-glioma-post-treatment" in output
    assert not (run.results / "segmented").exists()
