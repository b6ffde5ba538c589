"""This workflow as a method of the race: the settings of a recipe file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.benchmarks.study.plan import Study, configured, training_sections
from tests.support.builders import REPOSITORY, TASK
from tumorseg.configuration.schema_validation import duplicate_keys
from tumorseg.configuration.task_validation import fill_task_defaults
from tumorseg.errors import UserError
from tumorseg.inference.segmenter import Segmenter
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.model_header import read_header, require_same_network, require_same_normalisation
from tumorseg.preprocessing.resampling import stored_settings
from tumorseg.preprocessing.store import NormalisedCase
from tumorseg.training.recipe import Recipe

THREADS = 2
"""CPU threads of all methods, whatever the recipe has."""
RECIPES = REPOSITORY / "workflow/recipes"
STARTER = REPOSITORY / "workflow/models/starter.safetensors"
LONG_MINUTES = 20
"""Trainings that are longer have the recipe for long trainings."""


@dataclass(frozen=True)
class ProductSettings:
    """The sections of a recipe file over the defaults of config.yaml.

    sections: `model` and `training`, from random weights.
    """

    sections: dict[str, Any]
    prediction: dict[str, Any]
    normalisation: dict[str, Any]

    @property
    def mirroring(self) -> bool:
        return bool(self.prediction["test_time_mirroring"])

    @property
    def synthetic_cases(self) -> int:
        """The number of synthetic cases beside the real ones."""
        training = self.sections["training"]
        return int(training["synthetic_cases"]) if training["synthetic_fraction"] else 0

    def study(self, name: str, minutes: float, folds: int, seeds: Sequence[int], start_from: Path | None) -> Study:
        """Return the trainings with these settings as a study with one set-up."""
        training = {**self.sections["training"], "start_from": None if start_from is None else str(start_from)}
        return Study(minutes, folds, tuple(seeds), self.mirroring, {name: {**self.sections, "training": training}})


def default_recipes(minutes: float, *, from_random_weights: bool) -> list[Path]:
    """Return the recipe files for a training of a number of CPU minutes; later ones have precedence."""
    if minutes > LONG_MINUTES:
        return [RECIPES / "long.yaml"]
    return [RECIPES / "minutes.yaml", *([RECIPES / "random_weights.yaml"] if from_random_weights else [])]


def read_product_settings(paths: Sequence[Path]) -> ProductSettings:
    """Read recipe files, of which later ones have precedence.

    End the program with a message if one is missing, invalid or simulates during the training.
    """
    filled = _read_recipes(paths, {"training": {"device": "cpu", "threads": THREADS, "start_from": None}})
    if filled["training"]["synthetic_fraction"] and filled["training"]["synthetic_cases"] is None:
        raise SystemExit(
            f"{paths[-1]}: training.synthetic_cases is null, so other processes would simulate cases during the "
            "training, whose CPU time the race cannot count; set it to a number"
        )
    return ProductSettings(training_sections(filled), filled["prediction"], filled["normalisation"])


def product_prediction(path: Path | None) -> dict[str, Any]:
    """Return the section `prediction` of a recipe file, or of config.yaml without one."""
    return dict(_read_recipes([path or REPOSITORY / "config.yaml"], {})["prediction"])


def _read_recipes(paths: Sequence[Path], changes: dict[str, Any]) -> dict[str, Any]:
    if missing := [path for path in paths if not path.is_file()]:
        raise SystemExit(f"there is no recipe {missing[0]}; name another file with --recipe")
    texts = [path.read_text() for path in paths]
    configuration, wrong = configured(*(yaml.safe_load(text) or {} for text in texts), changes)
    if wrong := [*(mistake for text in texts for mistake in duplicate_keys(text)), *wrong]:
        raise SystemExit("\n".join([f"{', '.join(map(str, paths))} has mistakes:", *wrong]))
    return fill_task_defaults(configuration, TASK)


def find_starter(settings: ProductSettings, path: Path | None) -> Path | None:
    """Return the model to start from: the given one, or the one of the repository.

    If that one is missing, or has another network or normalisation than the recipe, print why and return None. For the
    given one, end the program instead.
    """
    starter = path or STARTER
    try:
        recipe = Recipe.from_config(settings.sections, TASK)
        header = read_header(starter)
        require_same_network(starter, header, asdict(recipe.architecture), TASK)
        require_same_normalisation(starter, header, stored_settings(settings.normalisation))
    except UserError as error:
        if path is not None:
            raise SystemExit(f"--starter: {error}") from None
        print(f"without the starter model: {error}", flush=True)
        return None
    return starter


def product_predictor(
    network: Network, cpu: Execution, prediction: Mapping[str, Any]
) -> Callable[[NormalisedCase], Any]:
    """Return a function that predicts a case as the workflow does: its mask on its cropped grid, uint8 (x, y, z)."""
    segmenter = Segmenter([network], cpu, prediction, task=TASK)

    def predict(case: NormalisedCase) -> Any:
        return segmenter.mask_of(segmenter.predict(case.image, case.origin), case.origin)[0]

    return predict
