"""A training step on whole volumes: time, memory, and the estimate of the memory."""

import math
from pathlib import Path
from statistics import median

from tests.gpu_check.check import Figure, Result
from tests.gpu_check.materials import Training, make_recipe, missing_precision, read_batches, start
from tests.gpu_check.measurement import memory_figures, memory_problems, seconds_each, start_measuring_memory
from tests.gpu_check.scale import Scale
from tumorseg.networks.memory import GIB, device_bytes
from tumorseg.training.step_memory import explain_out_of_memory, peak_bytes


def measure_step(scale: Scale, folder: Path, base_channels: int, precision: str) -> Result:
    """Measure training steps of a network on a batch of one patch."""
    recipe = make_recipe(scale, base_channels, precision=precision, steps_per_epoch=1)
    execution = start(recipe)
    if missing := missing_precision(recipe, execution):
        return Result.not_possible(missing)
    needed, available = peak_bytes(recipe, execution.dtype), device_bytes(execution.device)
    if needed > available:
        return Result.not_possible(
            f"a step needs about {needed / GIB:.1f} GiB, and the device has {available / GIB:.1f} GiB"
        )
    batch = next(read_batches(folder, scale, recipe, execution))
    start_measuring_memory(execution.device)
    outcomes: list[tuple[float, bool]] = []
    with explain_out_of_memory(recipe, execution):
        training = Training.of(recipe, execution)
        seconds = seconds_each(lambda: outcomes.append(training.step(batch)), scale.steps, execution.device)
    losses = [loss for loss, _ in outcomes]
    figures = [
        Figure("seconds of a step, median", median(seconds), "s"),
        Figure("seconds of a step, shortest", min(seconds), "s"),
        Figure("seconds of a step, longest", max(seconds), "s"),
        Figure("loss of the first step", losses[0]),
        Figure("loss of the last step", losses[-1]),
        Figure("steps that the gradient scaler skipped", sum(not taken for _, taken in outcomes)),
        *memory_figures(execution.device, needed),
    ]
    problems = [] if all(map(math.isfinite, losses)) else ["the loss is not finite"]
    return Result.judged(figures, problems + ([] if scale.reduced else memory_problems(execution.device, needed)))
