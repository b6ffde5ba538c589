"""Configurations, cases and networks for the checks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from tests.benchmarks.study.plan import configured, training_sections
from tests.gpu_check.scale import Scale
from tests.support.builders import TASK, write_random_case
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution, resolve_execution
from tumorseg.training.batches import Batch, iterate_batches
from tumorseg.training.checkpoint import TrainingState
from tumorseg.training.losses import LossModule, LossTerms
from tumorseg.training.recipe import Recipe
from tumorseg.training.trainer import READER_THREADS, train_step

CASES = 4


@dataclass(frozen=True)
class Training:
    """The start of a training, without files."""

    state: TrainingState
    loss_module: LossModule
    execution: Execution

    @classmethod
    def of(cls, recipe: Recipe, execution: Execution) -> Self:
        """Return the training of a recipe before its first step."""
        state = TrainingState.initial(recipe, 0, execution)
        return cls(state, LossModule(state.network.train(), execution, LossTerms.from_recipe(recipe)), execution)

    def step(self, batch: Batch) -> tuple[float, bool]:
        """Train on a batch; return the loss and whether the optimizer took a step."""
        rate = self.state.recipe.training.learning_rate
        return train_step(self.state, self.loss_module, batch, rate, self.execution)


def make_recipe(scale: Scale, base_channels: int, model: dict[str, Any] | None = None, **training: Any) -> Recipe:
    """Return the default recipe of the workflow with some changes.

    training: changes of the section `training`; by default patches have the size of the scale.
    """
    usual = {"input_shape": list(scale.volume), "device": scale.device, "threads": scale.threads}
    layers = {"model": {"base_channels": base_channels, **(model or {})}, "training": {**usual, **training}}
    configuration, mistakes = configured(layers)
    if mistakes:
        raise UserError(f"the checks set an invalid configuration: {'; '.join(mistakes)}")
    return Recipe.from_config(training_sections(configuration), TASK)


def start(recipe: Recipe) -> Execution:
    """Return the execution of a recipe, and prepare torch for it as a job does."""
    settings = recipe.training
    return resolve_execution(settings.device, settings.precision, settings.threads, settings.deterministic)


def missing_precision(recipe: Recipe, execution: Execution) -> str:
    """Return why the device does not compute in the precision of a recipe; empty if it does."""
    if not execution.name.endswith(recipe.training.precision):
        return f"{recipe.training.precision} needs a GPU"
    if execution.name == "cuda bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "this GPU has no bf16"
    return ""


def brain_cases(folder: Path, scale: Scale, number: int = CASES) -> list[Path]:
    """Return normalised cases with random voxels, which are written on the first call in a run."""
    paths = [folder / f"cases/case-{index}.safetensors" for index in range(number)]
    for index, path in enumerate(paths):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_random_case(path, shape=scale.brain, seed=index)
    return paths


def read_batches(folder: Path, scale: Scale, recipe: Recipe, execution: Execution) -> Iterator[Batch]:
    """Yield the batches of the first epoch, read as the trainer reads them."""
    cases = brain_cases(folder, scale)
    yield from iterate_batches(cases, recipe.training, 0, 1, workers=READER_THREADS, pin_memory=execution.pins_batches)
