"""The Dice of predicted masks on whole cases, as rows of the table of results."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from tests.benchmarks.race.cases import prepare_cases_of
from tests.benchmarks.race.product import THREADS, product_predictor
from tests.support.builders import TASK
from tumorseg.errors import UserError
from tumorseg.inference.channel_subsets import case_subset_dice, mean_subset_dice
from tumorseg.inference.segmenter import Segmenter, network_voxel_mm3
from tumorseg.io.digests import sha256
from tumorseg.metrics.held_out import Estimate, HeldOut
from tumorseg.metrics.mask_quality import mask_quality
from tumorseg.metrics.overlap import overlaps
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.held_out_quality import HeldOutCase, HeldOutCases
from tumorseg.networks.model import ModelCard, read_model
from tumorseg.networks.subset_scores import SubsetScore
from tumorseg.networks.training_facts import case_signature
from tumorseg.preprocessing.store import NormalisedCase, case_origin, read_case
from tumorseg.task.compatibility import require_task

CPU = Execution(torch.device("cpu"), torch.float32)
MaskPredictor = Callable[[NormalisedCase], NDArray[np.uint8]]
"""Returns the mask of a case on its cropped grid."""


def case_dice(predict: MaskPredictor, cases: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield the Dice of each region and label for each case, on the case's own voxels."""
    for path in cases:
        case = read_case(path, with_cropped=True)
        found = overlaps(case.on_cropped_grid().mask, predict(case), TASK)
        yield {"case": path.stem, **{name: overlap.dice for name, overlap in found.items()}}


def mean_line(rows: Sequence[dict[str, Any]]) -> str:
    """Return the means over the cases as text."""
    return " ".join(f"{name} {np.mean([row[name] for row in rows]):.3f}" for name in TASK.structures)


def zero_shot_rows(model: Path, test: Path, folder: Path, prediction: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Score a model on test cases without any training.

    Args:
        model: file of the model. The cases are normalised as it demands.
        test: folder of the cases.
        folder: where the workflow normalises them.
        prediction: section of the configuration.

    Returns:
        A row of the table for each case.

    Raises:
        UserError: the model or the folder is invalid, or the model was trained on one of the cases.
    """
    network, cases = _model_and_cases(model, test, folder)
    predict = product_predictor(network, CPU, prediction)
    about = {"setup": f"zero-shot {model.stem}", "digest": sha256(model)[:12], "fold": 0, "seed": 0, "mark": 1}
    about |= {"mirroring": bool(prediction["test_time_mirroring"]), "minutes": 0, "wall_minutes": 0, "steps": 0}
    return [{**about, "loss": math.nan, **row} for row in case_dice(predict, cases)]


def zero_shot_subsets(model: Path, test: Path, folder: Path, prediction: Mapping[str, Any]) -> list[SubsetScore]:
    """Score a model on test cases with each subset of their channels. The arguments are those of `zero_shot_rows`.

    Raises:
        UserError: as in `zero_shot_rows`.
    """
    network, cases = _model_and_cases(model, test, folder)
    segmenter = Segmenter([network], CPU, prediction, task=TASK)
    rows = pd.DataFrame(
        {"case": path.stem, "channels": ",".join(subset), "region": region, "dice": value}
        for path in cases
        for subset, dice in case_subset_dice(read_case(path, with_cropped=True), segmenter)
        for region, value in dice.items()
    )
    return mean_subset_dice(rows, TASK)


def zero_shot_held_out(model: Path, test: Path, folder: Path, prediction: Mapping[str, Any]) -> HeldOutCases:
    """Return the test cases of a model as its held-out cases. The arguments are those of `zero_shot_rows`.

    Each case counts as a patient of its own: the test cases have to be of different patients.

    Raises:
        UserError: as in `zero_shot_rows`.
    """
    network, paths = _model_and_cases(model, test, folder)
    segmenter = Segmenter([network], CPU, prediction, task=TASK)
    cases = (_held_out_case(number, path, segmenter) for number, path in enumerate(paths))
    return HeldOutCases(tuple(cases), dict(prediction))


def _held_out_case(number: int, path: Path, segmenter: Segmenter) -> HeldOutCase:
    case = read_case(path, with_cropped=True)
    prediction = segmenter.predict(case.image, case.origin)
    mask, _ = segmenter.mask_of(prediction, case.origin)
    (quality,) = mask_quality(prediction.outputs, TASK, network_voxel_mm3(case.origin))
    structures = {
        name: HeldOut(
            number,
            Estimate(found.predicted_voxels * case.origin.voxel_mm3, quality[name]),
            found.reference_voxels * case.origin.voxel_mm3,
            found.dice,
        )
        for name, found in overlaps(case.on_cropped_grid().mask, mask, TASK).items()
    }
    return HeldOutCase(number, TASK.channels_among(case.origin.intensities), structures)


def _model_and_cases(model: Path, test: Path, folder: Path) -> tuple[Network, list[Path]]:
    """Return the network of a model, and the normalised test cases, none of which it was trained on."""
    network, card = read_model(model)
    require_task(model, card.task, TASK)
    cases = prepare_cases_of(folder, card.normalisation, {"--test": test})["--test"]
    require_unseen(model, card, cases)
    torch.set_num_threads(THREADS)
    return network, cases


def require_unseen(model: Path, card: ModelCard, cases: Sequence[Path]) -> None:
    """Check that a model was not trained on any of the cases."""
    seen = [
        path.stem
        for path in cases
        if case_signature(case_origin(path).files, card.task) in card.trained_on.case_signatures
    ]
    if seen:
        raise UserError(
            f"{model}: this model was trained on {len(seen)} of the {len(cases)} test cases, such as {seen[0]}, so its "
            "scores would be too good; remove these cases"
        )
