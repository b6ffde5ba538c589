"""The checks in their reduced form on a CPU; those that need a GPU run with some functions of CUDA replaced."""

import warnings
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from tests.gpu_check import materials, measurement
from tests.gpu_check.check import Verdict
from tests.gpu_check.checks import demo, deterministic, device, loading, prediction, steps
from tests.gpu_check.materials import make_recipe, missing_precision
from tests.gpu_check.measurement import memory_figures, memory_problems
from tests.gpu_check.scale import reduced_scale
from tumorseg.inference.predictor import Predictor
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import GIB, OVERHEAD_BYTES

CPU = reduced_scale("cpu")
GPU = reduced_scale("cuda")


@pytest.fixture(autouse=True)
def usual_settings(monkeypatch):
    """Undo the settings of torch that a job makes for its process."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "unused")
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def on_cpu(monkeypatch):
    """Let checks for a GPU compute on the CPU in bf16, and return the calls of torch.cuda."""
    execution = Execution(torch.device("cpu"), torch.bfloat16)
    for module in (prediction, loading):
        monkeypatch.setattr(module, "start", lambda _: execution)
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    return modes


def figures_of(result):
    return {figure.name: figure.value for figure in result.figures}


def test_the_device_computes(tmp_path):
    assert device.check_device(CPU, tmp_path).verdict is Verdict.HELD


def test_a_step_is_measured(tmp_path):
    result = steps.measure_step(CPU, tmp_path, 2, "fp32")
    figures = figures_of(result)
    assert result.verdict is Verdict.HELD
    assert 0 < figures["seconds of a step, shortest"] <= figures["seconds of a step, longest"]
    assert figures["loss of the last step"] < figures["loss of the first step"] < 5
    assert figures["estimated memory"] > 0.3


def test_a_precision_of_gpus_only_is_not_possible_on_a_cpu(tmp_path):
    result = steps.measure_step(CPU, tmp_path, 2, "fp16")
    assert (result.verdict, result.reason) == (Verdict.NOT_POSSIBLE, "fp16 needs a GPU")


@pytest.mark.parametrize(("supported", "missing"), [(True, ""), (False, "this GPU has no bf16")])
def test_an_old_gpu_has_no_bf16(monkeypatch, supported, missing):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: supported and not including_emulation
    )
    execution = Execution(torch.device("cuda"), torch.bfloat16)
    assert missing_precision(make_recipe(GPU, 2, precision="bf16"), execution) == missing


def test_a_step_that_the_device_cannot_hold_is_not_possible(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "device_bytes", lambda _: 0.1 * GIB)
    result = steps.measure_step(CPU, tmp_path, 2, "fp32")
    assert (result.verdict, result.reason) == (
        Verdict.NOT_POSSIBLE,
        "a step needs about 0.3 GiB, and the device has 0.1 GiB",
    )


def test_loading_is_measured_against_the_steps(tmp_path):
    result = loading.measure_loading(CPU, tmp_path)
    assert result.verdict is Verdict.HELD
    assert min(figures_of(result).values()) > 0


@pytest.mark.parametrize(("limit", "verdict"), [(1000, Verdict.HELD), (0.01, Verdict.FAILED)])
def test_slow_loading_is_judged_in_full(monkeypatch, tmp_path, limit, verdict):
    monkeypatch.setattr(loading, "SLOWDOWN", limit)
    assert loading.measure_loading(replace(CPU, reduced=False), tmp_path).verdict is verdict


@pytest.mark.parametrize("measure", [prediction.measure_prediction, partial(steps.measure_step, precision="fp32")])
def test_a_wrong_estimate_of_memory_is_judged_in_full(monkeypatch, tmp_path, measure):
    monkeypatch.setattr(measurement, "peak_memory_bytes", lambda _: 100 * GIB)
    result = measure(replace(CPU, reduced=False), tmp_path, base_channels=2)
    assert result.verdict is Verdict.FAILED
    assert "times the measured peak" in result.reason
    assert measure(CPU, tmp_path, base_channels=2).verdict is Verdict.HELD


def test_each_transform_is_measured(tmp_path):
    result = loading.measure_augmentation(CPU, tmp_path)
    assert result.verdict is Verdict.HELD
    assert len(result.figures) == 8
    assert "seconds of a patch: noise" in figures_of(result)


def test_an_augmented_image_with_nan_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "augment", lambda images, masks, *_: (images / 0, masks))
    result = loading.measure_augmentation(CPU, tmp_path)
    assert result.verdict is Verdict.FAILED
    assert "noise: an augmented image holds NaN or infinity" in result.reason


def test_predictions_and_a_validation_are_measured(tmp_path):
    result = prediction.measure_prediction(CPU, tmp_path, 2)
    assert result.verdict is Verdict.HELD
    figures = figures_of(result)
    assert figures["seconds of a case, whole, mirrored"] > figures["seconds of a case, whole"] > 0


def test_every_option_is_deterministic(tmp_path):
    result = deterministic.check_options(CPU, tmp_path)
    assert (result.verdict, result.figures[0].value) == (Verdict.HELD, len(deterministic.OPTIONS))


def test_options_that_differ_or_fail_are_named(tmp_path, monkeypatch):
    def weights(recipe, *_):
        if recipe.training.gradient_checkpointing:
            raise RuntimeError("max_pool3d does not have a deterministic implementation")
        return torch.rand(1)

    monkeypatch.setattr(deterministic, "_weights_after", weights)
    result = deterministic.check_options(CPU, tmp_path)
    assert "default options: the second training has other weights" in result.reason
    assert "gradient checkpointing: max_pool3d does not have" in result.reason


@pytest.mark.parametrize(
    "check",
    [
        loading.check_pinned_batches,
        prediction.check_waits,
        prediction.check_too_little_memory,
        lambda scale, folder: prediction.check_agreement(scale, folder, "fp16"),
    ],
)
def test_a_check_that_needs_a_gpu_is_not_possible_without(check, tmp_path):
    assert check(CPU, tmp_path).verdict is Verdict.NOT_POSSIBLE


def test_two_gpus_are_needed(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert demo.check_two(GPU, tmp_path).reason == "this machine has 1 GPU"


@pytest.mark.usefixtures("on_cpu")
def test_masks_are_compared_with_those_of_the_cpu(monkeypatch, tmp_path):
    result = prediction.check_agreement(GPU, tmp_path, "bf16")
    assert result.verdict is Verdict.HELD
    assert 0.95 < figures_of(result)["share of voxels with the same label"] < 1
    monkeypatch.setattr(prediction, "AGREEMENT", {torch.bfloat16: 1})
    assert prediction.check_agreement(GPU, tmp_path, "bf16").verdict is Verdict.FAILED


@pytest.mark.parametrize(("is_pinned", "verdict"), [(True, Verdict.HELD), (False, Verdict.FAILED)])
def test_batches_must_be_pinned(on_cpu, monkeypatch, tmp_path, is_pinned, verdict):
    monkeypatch.setattr(torch.Tensor, "is_pinned", lambda _: is_pinned)
    assert loading.check_pinned_batches(GPU, tmp_path).verdict is verdict
    assert on_cpu == ["error", "default"] * 2


def test_a_copy_that_makes_the_program_wait_is_a_problem(on_cpu, monkeypatch, tmp_path):
    def wait(*_):
        raise RuntimeError("called a synchronizing CUDA operation")

    monkeypatch.setattr(torch.Tensor, "is_pinned", lambda _: True)
    monkeypatch.setattr(Execution, "place", wait)
    assert "makes the program wait: called a" in loading.check_pinned_batches(GPU, tmp_path).reason
    assert on_cpu == ["error", "default"] * 2


@pytest.mark.usefixtures("on_cpu")
@pytest.mark.filterwarnings("ignore:called a synchronizing")  # of the call before the one that is counted
@pytest.mark.parametrize(("of_each_volume", "verdict"), [(0, Verdict.HELD), (1, Verdict.FAILED)])
def test_waits_are_counted(monkeypatch, tmp_path, of_each_volume, verdict):
    original = Predictor._probabilities

    def with_waits(*arguments):
        for _ in range(of_each_volume):
            warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
        return original(*arguments)

    monkeypatch.setattr(Predictor, "_probabilities", with_waits)
    result = prediction.check_waits(GPU, tmp_path)
    assert result.verdict is verdict
    figures = figures_of(result)
    assert figures["waits for the GPU: whole"] == of_each_volume
    assert figures["waits for the GPU: windows, mirrored"] >= 8 * 8 * of_each_volume


@pytest.mark.usefixtures("on_cpu")
def test_a_brain_that_does_not_fit_cannot_show_the_change_to_windows(monkeypatch, tmp_path):
    monkeypatch.setattr("tumorseg.inference.predictor.device_bytes", lambda _: 1)
    result = prediction.check_too_little_memory(replace(GPU, reduced=False), tmp_path)
    assert result.reason == "the whole brain does not fit into the memory of this GPU"


@pytest.mark.usefixtures("on_cpu")
@pytest.mark.parametrize("limited", [True, False])
def test_too_little_memory_leads_to_windows_and_an_explained_error(monkeypatch, tmp_path, limited):
    scale = replace(GPU, reduced=False)
    original = Predictor._mean

    def only_windows(self, padded, *, windowed):
        if not windowed:
            raise torch.OutOfMemoryError
        return original(self, padded, windowed=windowed)

    def fail(*_):
        raise torch.OutOfMemoryError

    def limit(_fraction):
        if limited:
            monkeypatch.setattr(Predictor, "_mean", only_windows)
            monkeypatch.setattr(materials, "train_step", fail)

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=24 * GIB))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", limit)
    result = prediction.check_too_little_memory(scale, tmp_path)
    assert result.verdict is (Verdict.HELD if limited else Verdict.FAILED)
    assert ("did not change to windows" in result.reason) == (not limited)
    assert ("ran in less memory" in result.reason) == (not limited)


def test_the_memory_of_a_gpu_is_compared_with_its_estimate(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda _: 10 * GIB)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 9 * GIB)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (10 * GIB, 24 * GIB))
    gpu = torch.device("cuda")
    peak = 10 * GIB + OVERHEAD_BYTES
    expected = {
        "peak memory": peak / GIB,
        "estimated memory": peak / GIB / 2,
        "estimate / peak": 0.5,
        "peak memory of tensors alone": 9,
        "memory in use on the GPU afterwards, other programs included": 14,
    }
    assert {figure.name: figure.value for figure in memory_figures(gpu, peak / 2)} == pytest.approx(expected)
    assert memory_problems(gpu, 0.81 * peak) == memory_problems(gpu, 1.19 * peak) == []
    assert "0.50 times the measured peak" in memory_problems(gpu, 0.5 * peak)[0]


def test_the_first_run_is_not_timed(monkeypatch):
    clock = iter([0, 10, 10, 11, 11, 13])
    monkeypatch.setattr(measurement.time, "perf_counter", lambda: next(clock))
    assert measurement.seconds_each(lambda: None, 2, torch.device("cpu")) == [1, 2]
