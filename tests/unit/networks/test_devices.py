import os

import pytest
import torch

from tumorseg.cli import console
from tumorseg.errors import UserError
from tumorseg.io.files import read_json
from tumorseg.networks.devices import Execution, resolve_execution


def test_fp16_on_a_cpu_becomes_fp32():
    execution = resolve_execution("cpu", "fp16", threads=1)
    assert (execution.device.type, execution.dtype) == ("cpu", torch.float32)


@pytest.mark.parametrize(
    ("instructions", "dtype"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_f": True}, torch.float32),
    ],
)
def test_auto_is_bf16_on_a_cpu_that_computes_in_it(instructions, dtype, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    assert resolve_execution("cpu", "auto", threads=1).dtype == dtype


@pytest.mark.parametrize(("device", "pins"), [("cuda", True), ("cpu", False)])
def test_batches_for_a_gpu_are_pinned(device, pins):
    assert Execution(torch.device(device), torch.float16).pins_batches == pins


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_an_error_with_a_remedy():
    with pytest.raises(UserError, match=r"training\.device is cuda, but torch sees no GPU"):
        resolve_execution("cuda", "fp16", threads=1)


@pytest.mark.parametrize(("threads", "cores", "logged"), [(2, "1", True), (1, "1", False), (1, "64", False)])
def test_more_threads_than_cores_are_logged_and_kept(threads, cores, logged, monkeypatch, caplog):
    monkeypatch.setenv("WORKFLOW_CORES", cores)
    with caplog.at_level("INFO", logger="tumorseg"):
        resolve_execution("cpu", "fp32", threads=threads)
    assert torch.get_num_threads() == threads
    assert ("training.threads is 2, but this run has 1 CPU core" in caplog.text) == logged


def test_the_record_of_a_job_has_its_precision_and_device(tmp_path):
    with console.job("a_job", tmp_path / "a.log"):
        resolve_execution("cpu", "fp16", threads=1)
    assert read_json(console.job_record_path(tmp_path / "a.log"))["computed_in"] == "fp32 on the CPU with 1 thread"


def test_torch_uses_the_configured_number_of_threads():
    resolve_execution("cpu", "fp32", threads=3)
    assert torch.get_num_threads() == 3


def test_deterministic_algorithms_are_switched_on_and_off(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    resolve_execution("cpu", "fp32", threads=1, deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    resolve_execution("cpu", "fp32", threads=1)
    assert not torch.are_deterministic_algorithms_enabled()
