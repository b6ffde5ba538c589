"""Reading batches and augmenting them: throughput, pinned memory, copies that do not make the program wait."""

import time
from pathlib import Path
from statistics import mean, median

import torch

from tests.gpu_check.check import Figure, Result
from tests.gpu_check.materials import Training, make_recipe, read_batches, start
from tests.gpu_check.measurement import seconds_each, wait_for
from tests.gpu_check.scale import Scale
from tumorseg.training.augmentation import AUGMENTATIONS, augment
from tumorseg.training.trainer import train_epoch

SLOWDOWN = 1.1
"""Largest time of an epoch as a multiple of its steps alone."""


def measure_loading(scale: Scale, folder: Path) -> Result:
    """Measure an epoch with its loading against its steps alone, and the loader by itself."""
    steps = 2 * scale.steps
    recipe = make_recipe(scale, scale.base_channels[-1], precision="auto", steps_per_epoch=steps)
    execution = start(recipe)
    batch = next(read_batches(folder, scale, recipe, execution))
    training = Training.of(recipe, execution)

    def epoch() -> None:
        batches = read_batches(folder, scale, recipe, execution)
        train_epoch(training.state, training.loss_module, batches, steps, execution)

    of_step = median(seconds_each(lambda: training.step(batch), scale.steps, execution.device))
    (of_epoch,) = seconds_each(epoch, 1, execution.device)
    began = time.perf_counter()
    loaded = sum(len(each.cases) for each in read_batches(folder, scale, recipe, execution))
    of_loading = time.perf_counter() - began
    ratio = of_epoch / (steps * of_step)
    figures = [
        Figure("epoch / its steps alone", ratio),
        Figure("seconds of a step alone", of_step, "s"),
        Figure("patches that the loader reads in a second", loaded / of_loading),
    ]
    slow = not scale.reduced and ratio > SLOWDOWN
    return Result.judged(figures, [f"an epoch takes {ratio:.2f} times its steps, more than {SLOWDOWN}"] if slow else [])


def measure_augmentation(scale: Scale, folder: Path) -> Result:
    """Measure the augmentation of a patch with each transform alone and with all of them, and check the results."""
    # Each transform changes a patch in 20% of all cases: the mean needs many patches.
    recipe = make_recipe(scale, scale.base_channels[0], steps_per_epoch=4 * scale.steps)
    execution = start(recipe)
    figures, problems = [], []
    for names in ((), *((name,) for name in AUGMENTATIONS), tuple(AUGMENTATIONS)):
        seconds = []
        for batch in read_batches(folder, scale, recipe, execution):
            wait_for(execution.device)
            began = time.perf_counter()
            masks = batch.masks.to(execution.device, non_blocking=True)
            images, masks = augment(execution.place(batch.images), masks, names, batch.augmentation_rngs)
            wait_for(execution.device)
            seconds.append(time.perf_counter() - began)
            if not bool(torch.isfinite(images).all()):
                problems.append(f"{' and '.join(names)}: an augmented image holds NaN or infinity")
        title = "no transform, the copy to the device alone" if not names else ", ".join(names)
        figures.append(Figure(f"seconds of a patch: {title}", mean(seconds[1:]), "s"))
    return Result.judged(figures, sorted(set(problems)))


def check_pinned_batches(scale: Scale, folder: Path) -> Result:
    """Check that batches are pinned, and that torch finds no wait while they are copied."""
    if scale.device == "cpu":
        return Result.not_possible("needs a GPU")
    recipe = make_recipe(scale, scale.base_channels[0], steps_per_epoch=2)
    execution = start(recipe)
    problems = []
    for batch in read_batches(folder, scale, recipe, execution):
        if not (batch.images.is_pinned() and batch.masks.is_pinned()):
            problems.append("a batch is not in pinned memory")
        wait_for(execution.device)
        torch.cuda.set_sync_debug_mode("error")
        try:
            execution.place(batch.images)
            batch.masks.to(execution.device, non_blocking=True)
        except RuntimeError as error:
            problems.append(f"the copy of a batch makes the program wait: {error}")
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return Result.judged([], sorted(set(problems)))
