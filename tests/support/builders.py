"""Build tiny networks, recipes, cases and models for tests."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, settings

from tumorseg.cohort.splits import FoldAssignment, training_cases, validation_cases
from tumorseg.inference.records import RECORD_FORMAT, prediction_record_path
from tumorseg.io.digests import file_digest
from tumorseg.io.files import write_json
from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.factory import build
from tumorseg.networks.model import ModelCard
from tumorseg.networks.training_facts import Range, TrainingFacts
from tumorseg.preprocessing.crop import network_grid
from tumorseg.preprocessing.fold_data import FoldData, write_fold_data
from tumorseg.preprocessing.normalisation import resample_case
from tumorseg.preprocessing.store import NormalisedCase, Origin, case_digest, write_case
from tumorseg.task import load_task
from tumorseg.training.recipe import Recipe

REPOSITORY = Path(__file__).parents[2]
TASK = load_task()
NORMALISATION = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 1}
"""Settings of the cases and models of these functions."""


def architecture(base_channels: int = 2, task=TASK, **changes) -> Architecture:
    """Return the architecture of a tiny network for a task."""
    return Architecture(base_channels, classes=task.classes, channels=len(task.channels), **changes)


def hypothesis_settings(examples: int) -> settings:
    """Return settings of a property test: a number of examples, always the same ones, without a time limit."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def recipe(base_channels: int = 2, model: dict | None = None, task=TASK, **changes) -> Recipe:
    """Return the recipe of a tiny training. model, changes: keys of the sections `model` and `training`."""
    training = {
        "input_shape": [16, 16, 16],
        "batch_size": 1,
        "steps_per_epoch": None,
        "epochs_per_checkpoint": 1,
        "foreground_fraction": 0,
        "augmentation": [],
        "learning_rate": 0.01,
        "schedule": "constant",
        "schedule_epochs": 100,
        "gradient_clip": None,
        "ema_decay": None,
        "gradient_checkpointing": False,
        "precision": "fp32",
        "device": "cpu",
        "deterministic": False,
        "threads": 1,
        "seed": 7,
    }
    sections = {"model": {"base_channels": base_channels, **(model or {})}}
    return Recipe.from_config({**sections, "training": training | changes}, task)


def write_random_case(path: Path, shape=(16, 16, 16), seed: int = 0, task=TASK, target_mm=None) -> Path:
    """Write a normalised case of noise with a random mask, and return its path.

    target_mm: voxel edges to which the case, with voxels of 1 mm, is resampled.
    """
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(len(task.channels), *shape)).astype(np.float16)
    image[image == 0] = 1
    mask = rng.choice(np.array([0, *task.label_values], np.uint8), size=shape)
    affine = tuple(map(tuple, np.diag([-1.0, -1.0, 1.0, 1.0]).tolist()))
    crop = tuple((0, side) for side in shape)
    origin = Origin(path.stem, shape, affine, crop, list(task.conventions)[-1], NORMALISATION, {})
    intensities = {name: {"low": -3.0, "high": 3.0, "mean": 0.0, "std": 1.0} for name in task.channel_names}
    origin = replace(origin, resampled=network_grid(origin, target_mm), intensities=intensities)
    write_case(path, resample_case(NormalisedCase(image, mask, origin)))
    return path


def trained_on(spacing_mm=(1, 1, 1), *, demo: bool = False, task=TASK) -> TrainingFacts:
    """Return facts about training data, which fit the cases of `tests.support.case_files`."""
    return TrainingFacts(
        cases=3,
        demo=demo,
        channels=task.channel_names,
        input_shape=(16, 16, 16),
        spacing_mm=tuple(Range(edge, edge, edge) for edge in spacing_mm),
        shape=tuple(Range(side, side, side) for side in (10, 11, 12)),
        brain_voxels=Range(300, 330, 350),
        intensities={channel: {"median_position": Range(0.4, 0.5, 0.6)} for channel in task.channel_names},
    )


def model_card(architecture: Architecture, task=TASK, **changes) -> ModelCard:
    """Return the card of a valid model with some changes."""
    usual = {
        "normalisation": NORMALISATION,
        "convention": list(task.conventions)[-1],
        "fold": 0,
        "epoch": 1,
        "checkpoint": "ab" * 32,
        "split": "cd" * 32,
        "trained_on": trained_on(task=task),
    }
    return ModelCard(architecture, task, **{**usual, **changes})


def make_fold_data(training: Sequence[Path] = (), held_out: Sequence[Path] = (), fold: int = 0) -> FoldData:
    """Return the data of a fold with these normalised cases."""
    parts = ({path.stem: case_digest(path) for path in paths} for paths in (training, held_out))
    return FoldData(fold, *parts)


def record_predictions(folder: Path, fold: int = 0, *, enhancing: int = 3, **changes) -> Path:
    """Write the record of a folder of predicted masks. changes: of its content.

    enhancing: the value on disk of enhancing tumour.
    """
    masks = sorted(path for path in folder.glob("*.nii.gz") if "-probabilities" not in path.name)
    written = {"0": 0, "1": 1, "2": 2, "4": enhancing}
    cases = {path.name.removesuffix(".nii.gz"): {"digest": file_digest(path), "written": written} for path in masks}
    content = {"format": RECORD_FORMAT, "fold": fold, "model": "m", "split": "s", "settings": {}, "cases": cases}
    write_json(prediction_record_path(folder), content | changes)
    return folder


def write_listed_data(path: Path, normalised: Path, splits: Sequence[FoldAssignment], fold: int) -> Path:
    """Write the data of a fold whose normalised cases are in one folder, and return the path."""
    training, validation = (
        {case: case_digest(normalised / f"{case}.safetensors") for case in cases}
        for cases in (training_cases(splits, fold), validation_cases(splits, fold))
    )
    write_fold_data(path, FoldData(fold, training, validation))
    return path


def structure_mask(mask, structure: str):
    """Return the voxels of a region or label, by name, in a mask of the default task."""
    return np.isin(mask, TASK.structures[structure])


def network_with_statistics(seed: int = 0, **changes):
    """Return a network with changed running statistics, so that fusing batch norms matters."""
    torch.manual_seed(seed)
    net = build(architecture(4, **changes)).train()
    for _ in range(3):
        net(2 + 3 * torch.randn(1, 4, 16, 16, 16))
    return net.eval()


def random_network(seed: int = 3, base_channels: int = 4, task=TASK, **changes) -> Network:
    """Return a network that finds every label somewhere in noise, so that masks show the orientation of the image."""
    torch.manual_seed(seed)
    network = build(architecture(base_channels, task, **changes)).train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.randn(1, len(task.channels), 16, 16, 16))
        head = network.heads[0]
        head.weight *= 20
        head.bias -= network.eval()(torch.randn(1, len(task.channels), 16, 16, 16)).mean(dim=(0, 2, 3, 4))
    return network
