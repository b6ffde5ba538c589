"""The plan of a study: its file, its set-ups, and the cases of each fold."""

import copy
import hashlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from tests.support.builders import REPOSITORY, TASK
from tests.support.case_files import require_learning_data
from tumorseg.cohort.splits import read_splits, training_cases, validation_cases
from tumorseg.configuration.constraints import contradiction_errors
from tumorseg.configuration.schema_validation import duplicate_keys, schema_errors
from tumorseg.configuration.task_validation import task_contradiction_errors
from tumorseg.io.digests import sha256
from tumorseg.networks.devices import resolve_precision
from tumorseg.networks.starter import model_path
from tumorseg.preprocessing.store import find_case
from tumorseg.training.recipe import Recipe, with_defaults

KEYS = {"minutes", "folds", "seeds", "mirroring", "base", "setups"}
NORMALISATION = {"spacing_mm": 2, "margin_voxels": 2}  # the starter model's voxels, which the real cases have as well


@dataclass(frozen=True)
class Run:
    """One training of a study.

    digest: of everything that its result depends on, apart from fold and seed.
    start_from: file of the model whose weights it starts from.
    """

    setup: str
    digest: str
    recipe: Recipe
    start_from: Path | None
    fold: int
    seed: int


@dataclass(frozen=True)
class Study:
    """A study.

    minutes: CPU minutes of each training, see `training.cpu_minutes`.
    mirroring: whether the last evaluation is repeated with test-time mirroring.
    setups: by name, the sections `model` and `training` of the configuration.
    """

    minutes: float
    folds: int
    seeds: tuple[int, ...]
    mirroring: bool
    setups: dict[str, dict[str, Any]]

    def runs(self) -> list[Run]:
        """Return the trainings in their order: all set-ups and folds with the first seed, then with the next one."""
        found = []
        for seed, (name, sections), fold in product(self.seeds, self.setups.items(), range(self.folds)):
            path = sections["training"]["start_from"]
            start_from = model_path(path) if path else None
            training = {**sections["training"], "start_from": sha256(start_from) if start_from else None}
            recipe = Recipe.from_config({**sections, "training": {**training, "seed": seed}}, TASK)
            digest = self._digest({**sections, "training": training})
            found.append(Run(name, digest, recipe, start_from, fold, seed))
        return found

    def _digest(self, sections: dict[str, Any]) -> str:
        """Return the digest of a set-up, in the precision of this processor.

        A setting that is added later with its default does not change it.
        """
        content = Recipe.from_config(sections, TASK).as_dict()
        defaults = with_defaults({"training": {}})["training"]
        training = {key: value for key, value in content["training"].items() if value != defaults.get(key, object())}
        training["precision"] = resolve_precision(content["training"]["precision"], "cpu")
        text = yaml.safe_dump([content["architecture"], training, self.minutes, self.folds])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_study(path: Path) -> Study:
    """Read the file of a study; end the program with a message if it is invalid."""
    text = path.read_text()
    content = yaml.safe_load(text)
    mistakes = [f"{key}: there is no such key" for key in content.keys() - KEYS]
    mistakes += [f"{key}: this key is missing" for key in KEYS - content.keys()]
    mistakes += duplicate_keys(text)
    setups = {}
    for name, changes in content.get("setups", {}).items():
        sections, wrong = _configured(content.get("base"), changes)
        mistakes += [f"setups.{name}: {each}" for each in wrong]
        setups[str(name)] = sections
    if mistakes:
        raise SystemExit("\n".join([f"{path} has mistakes:", *mistakes]))
    return Study(content["minutes"], content["folds"], tuple(content["seeds"]), content["mirroring"], setups)


def _configured(base: dict | None, changes: dict | None) -> tuple[dict[str, Any], list[str]]:
    """Return the sections `model` and `training` of a set-up, and what is wrong with them."""
    wrong = [
        f"{section}: a set-up cannot change it"
        for section in {**(base or {}), **(changes or {})}
        if section not in ("model", "training")
    ]
    configuration, mistakes = configured(base or {}, changes or {})
    if configuration["training"].get("synthetic_fraction"):
        wrong.append("training.synthetic_fraction: a study trains on real cases only; leave it out")
    return training_sections(configuration), wrong or mistakes


def configured(*layers: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return config.yaml with the values of the layers, and what is wrong with it. The last layer has precedence."""
    configuration = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    for layer in layers:
        update_config(configuration, copy.deepcopy(layer))
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    wrong = schema_errors(configuration, schema)
    return configuration, wrong or [
        *task_contradiction_errors(configuration, TASK),
        *contradiction_errors(configuration, TASK),
    ]


def training_sections(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the sections `model` and `training`, without the keys for which a CPU time and TensorBoard stand."""
    training = {key: value for key, value in configuration["training"].items() if key not in ("epochs", "tensorboard")}
    return {"model": configuration["model"], "training": training}


def prepare_cases(folder: Path, folds: int) -> None:
    """Normalise the real cases with the workflow and assign their patients to folds, all in `folder`."""
    cohort = {"root": str(require_learning_data().resolve()), "shards": 4, "folds": folds}
    run_workflow(folder, {"cohort": cohort, "normalisation": NORMALISATION}, ["normalise", "split"])


def run_workflow(folder: Path, configuration: dict[str, Any], targets: Sequence[str]) -> None:
    """Run the workflow in a folder up to some targets. End the program with its messages if it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(configuration))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
    command += [*targets, "--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    if found.returncode:
        raise SystemExit(found.stdout + found.stderr)


def fold_cases(folder: Path, fold: int) -> tuple[list[Path], list[Path]]:
    """Return the files of the training cases and of the held-out cases of a fold."""
    splits = read_splits(folder / "results/cohort/splits.tsv")
    folders = sorted((folder / "results/normalised").iterdir())
    training, held_out = (
        [find_case(folders, case) for case in cases(splits, fold)] for cases in (training_cases, validation_cases)
    )
    return training, held_out
