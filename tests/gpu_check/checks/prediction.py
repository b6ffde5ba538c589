"""Segmenting cases on a GPU: time, memory, waits, too little memory, and the agreement with a CPU."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from tests.gpu_check.check import Figure, Result
from tests.gpu_check.materials import Training, brain_cases, make_recipe, missing_precision, read_batches, start
from tests.gpu_check.measurement import memory_figures, memory_problems, seconds_each, start_measuring_memory
from tests.gpu_check.scale import Scale
from tests.support.builders import TASK, random_network
from tumorseg.inference.predictor import PredictionSettings, Predictor
from tumorseg.inference.whole_volume import forward_bytes, pad_image
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import GIB, OVERHEAD_BYTES, DeviceMemoryError
from tumorseg.preprocessing.crop import cropped_start
from tumorseg.preprocessing.store import NormalisedCase, read_case
from tumorseg.training.batches import Batch
from tumorseg.training.epoch_validation import validate
from tumorseg.training.recipe import Recipe
from tumorseg.training.step_memory import explain_out_of_memory

AGREEMENT = {torch.float32: 0.99, torch.float16: 0.99, torch.bfloat16: 0.95}
"""Smallest share of voxels in which a mask has the label that a CPU computes in fp32. Convolutions in fp32 on a GPU
may use TF32, which has the precision of fp16."""
WAITS = 2
"""Most waits of a prediction: for whether all values are finite, and for the result."""
_WAIT = "synchronizing CUDA operation"
"""Part of torch's warning about an operation for which the program waits."""


def predictor(network: Network, execution: Execution, scale: Scale, mode: str, *, mirroring: bool = False) -> Predictor:
    """Return a predictor with the window of the scale."""
    settings = PredictionSettings(mode, scale.window, 0.5, test_time_mirroring=mirroring, probabilities=False)
    return Predictor([network], execution, settings, TASK.unused_classes)


def measure_prediction(scale: Scale, folder: Path, base_channels: int) -> Result:
    """Measure the prediction of a case as a whole, with mirroring and in windows, and a validation."""
    recipe = make_recipe(scale, base_channels, precision="auto")
    execution = start(recipe)
    cases = brain_cases(folder, scale)
    case = read_case(cases[0])
    first = cropped_start(case.origin)
    network = random_network(base_channels=base_channels)
    needed = _forward_bytes(network, case.image, first, execution)

    def seconds(mode: str, *, mirroring: bool = False) -> float:
        predict = predictor(network, execution, scale, mode, mirroring=mirroring).predict
        return median(seconds_each(lambda: predict(case.image, first), scale.steps, execution.device))

    start_measuring_memory(execution.device)
    figures = [Figure("seconds of a case, whole", seconds("whole"), "s"), *memory_figures(execution.device, needed)]
    problems = [] if scale.reduced else memory_problems(execution.device, needed)
    figures += [
        Figure("seconds of a case, whole, mirrored", seconds("whole", mirroring=True), "s"),
        Figure("seconds of a case, windows", seconds("window"), "s"),
    ]
    on_device = network.to(execution.device)
    (of_validation,) = seconds_each(lambda: validate(on_device, cases, execution, recipe), 1, execution.device)
    figures.append(Figure("seconds of a held-out case in the validation", of_validation / len(cases), "s"))
    return Result.judged(figures, problems)


def check_agreement(scale: Scale, folder: Path, precision: str) -> Result:
    """Compare a mask from the GPU with one that the CPU computes in fp32."""
    if scale.device == "cpu":
        return Result.not_possible("needs a GPU")
    recipe = make_recipe(scale, scale.base_channels[0], precision=precision)
    execution = start(recipe)
    if missing := missing_precision(recipe, execution):
        return Result.not_possible(missing)
    case = _small_case(folder, scale)
    network = random_network(base_channels=scale.base_channels[0])
    on_cpu = predictor(network, Execution(torch.device("cpu"), torch.float32), scale, "whole").predict(case.image)
    on_gpu = predictor(network, execution, scale, "whole").predict(case.image)
    same = float((on_cpu.mask == on_gpu.mask).mean())
    figures = [
        Figure("share of voxels with the same label", same),
        Figure("largest difference of a probability", float(np.abs(on_cpu.probabilities - on_gpu.probabilities).max())),
        Figure("convolutions in fp32 use TF32 (1: yes)", float(torch.backends.cudnn.allow_tf32)),
    ]
    least = AGREEMENT[execution.dtype]
    return Result.judged(figures, [f"only {same:.2%} of the voxels have the same label"] if same < least else [])


def check_waits(scale: Scale, folder: Path) -> Result:
    """Count how often a prediction waits for the GPU, with one window and with many, mirrored ones."""
    if scale.device == "cpu":
        return Result.not_possible("needs a GPU")
    execution = start(make_recipe(scale, scale.base_channels[0], precision="auto"))
    case, network = _small_case(folder, scale), random_network(base_channels=scale.base_channels[0])
    many = replace(scale, window=tuple(max(16, side // 16 * 8) for side in scale.small))
    counts = {}
    for title, sizes, mode, mirroring in (
        ("whole", scale, "whole", False),
        ("windows, mirrored", many, "window", True),
    ):
        predict = predictor(network, execution, sizes, mode, mirroring=mirroring).predict
        predict(case.image)  # the first call also starts libraries
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                predict(case.image)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        counts[title] = sum(_WAIT in str(warning.message) for warning in caught)
    figures = [Figure(f"waits for the GPU: {title}", count) for title, count in counts.items()]
    return Result.judged(
        figures, [f"{title}: {count} waits, more than {WAITS}" for title, count in counts.items() if count > WAITS]
    )


def check_too_little_memory(scale: Scale, folder: Path) -> Result:
    """Limit the memory of the GPU for this process; check that a prediction uses windows and a training explains it."""
    if scale.reduced:
        return Result.not_possible("needs a GPU and whole volumes")
    recipe = make_recipe(scale, scale.base_channels[-1], precision="auto", steps_per_epoch=1)
    execution = start(recipe)
    case = read_case(brain_cases(folder, scale)[0])
    network = random_network(base_channels=scale.base_channels[-1])
    predict = predictor(network, execution, replace(scale, window=scale.small), "auto").predict
    before = predict(case.image)
    if before.windowed:
        return Result.not_possible("the whole brain does not fit into the memory of this GPU")
    torch.cuda.empty_cache()
    # Less than the tensors alone need, since cuDNN can do with less working memory.
    whole = _forward_bytes(network, case.image, (0, 0, 0), execution) - OVERHEAD_BYTES
    limit = 0.6 * whole
    total = torch.cuda.get_device_properties(execution.device).total_memory
    torch.cuda.set_per_process_memory_fraction(limit / total)  # of the current GPU; it takes no device without index
    after = predict(case.image)
    problems = [] if after.windowed else ["the prediction did not change to windows"]
    if not np.isfinite(after.probabilities).all():
        problems.append("the prediction in windows is not finite")
    same = float((before.mask == after.mask).mean())
    problems += _training_problems(recipe, execution, next(read_batches(folder, scale, recipe, execution)))
    figures = [
        Figure("estimated memory of the tensors of the whole volume", whole / GIB, "GiB"),
        Figure("memory that was allowed", limit / GIB, "GiB"),
        Figure("share of voxels with the same label in windows", same),
    ]
    return Result.judged(figures, problems)


def _training_problems(recipe: Recipe, execution: Execution, batch: Batch) -> list[str]:
    """Return what is wrong with the end of a training step that has too little memory."""
    try:
        with explain_out_of_memory(recipe, execution):
            Training.of(recipe, execution).step(batch)
    except DeviceMemoryError as error:
        return [] if "training.gradient_checkpointing" in str(error) else [f"the message names no setting: {error}"]
    return ["a training step ran in less memory than a prediction needs"]


def _forward_bytes(network: Network, image: NDArray[np.float16], first: Sequence[int], execution: Execution) -> int:
    """Return the estimated memory of a prediction of a whole image, in bytes."""
    sides = pad_image(image, first, network.divisor).images.shape[2:]
    return forward_bytes(network.architecture, sides, execution.dtype)


def _small_case(folder: Path, scale: Scale) -> NormalisedCase:
    """Return a case of the small size."""
    return read_case(brain_cases(folder / "small", replace(scale, brain=scale.small), 1)[0])
