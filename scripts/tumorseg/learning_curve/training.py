"""One training of the learning curve: all epochs on a subset of the training cases, verified and exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.formatting import format_count
from tumorseg.io.digests import sha256
from tumorseg.io.files import read_json, write_json
from tumorseg.learning_curve.plan import CurvePoint
from tumorseg.networks.devices import Execution
from tumorseg.preprocessing.fold_data import FoldData
from tumorseg.training.batches import steps_per_epoch
from tumorseg.training.checkpoint import checkpoint_record_path
from tumorseg.training.recipe import Recipe
from tumorseg.training.selection import TrainedNetwork, load_trained_network
from tumorseg.training.simulation import start_simulators
from tumorseg.training.start_model import StartModel
from tumorseg.training.trainer import start_state, train_until
from tumorseg.training.verification import checkpoint_problems


def with_equal_steps(recipe: Recipe, training_cases: int) -> Recipe:
    """Return a recipe whose epochs have as many steps on a subset as on all training cases.

    Args:
        recipe: the configuration of the training.
        training_cases: number of all training cases of the fold.
    """
    steps = steps_per_epoch(training_cases, recipe.training)
    return replace(recipe, training=replace(recipe.training, steps_per_epoch=steps))


def subset_data(data: FoldData, cases: Sequence[str]) -> FoldData:
    """Return the data of a fold with some of its training cases, in the order of the fold.

    Raises:
        UserError: a case is not a training case of the fold.
    """
    if unknown := sorted(set(cases) - set(data.training)):
        raise UserError(
            f"{unknown[0]}: this case is not in the training data of fold {data.fold}; delete "
            f"results/training/fold-{data.fold}/data.json and run again"
        )
    return replace(data, training={case: digest for case, digest in data.training.items() if case in set(cases)})


@dataclass(frozen=True)
class CaseFiles:
    """The files of the normalised cases of a training: of real, synthetic and held-out cases."""

    training: Sequence[Path]
    synthetic: Sequence[Path]
    held_out: Sequence[Path]


def train_point(
    recipe: Recipe,
    data: FoldData,
    files: CaseFiles,
    execution: Execution,
    *,
    epochs: int,
    start_model: StartModel | None,
    checkpoint: Path,
) -> tuple[TrainedNetwork, str]:
    """Train all epochs of a point of the learning curve, verify the checkpoint, and read its network.

    Args:
        recipe: the configuration of the training, from `with_equal_steps`.
        data: the cases, from `subset_data`.
        files: the files of these cases, in the order of `data`.
        execution: device and precision.
        epochs: number of epochs.
        start_model: the model to start from; None for random weights.
        checkpoint: file to write, with its record beside it.

    Returns:
        The network, and the SHA-256 of the checkpoint.

    Raises:
        UserError: a case is corrupted or cannot be simulated, the network has become non-finite, or the checkpoint is
            invalid.
    """
    state = start_state(recipe, data, execution, None, 0, start_model=start_model)
    with start_simulators(recipe, data, execution) as simulators:
        train_until(
            epochs,
            state,
            data=data,
            training_cases=files.training,
            synthetic_cases=files.synthetic,
            simulators=simulators,
            held_out_cases=files.held_out,
            execution=execution,
            checkpoint=checkpoint,
        )
    if problems := checkpoint_problems(checkpoint, recipe, data, epochs):
        found = "; ".join(problem.message for problem in problems)
        raise UserError(f"{checkpoint}: this checkpoint {found}; run again to train it again")
    digest = str(read_json(checkpoint_record_path(checkpoint))["digest"])
    return load_trained_network(checkpoint, digest, recipe.task), digest


def write_training_record(
    path: Path, point: CurvePoint, fold: int, model: Path, *, cases: Sequence[str], steps: int, start_from: str | None
) -> None:
    """Write what the model of a point was trained on, and the digest of the model.

    Args:
        path: file to write, JSON.
        point: the point of the learning curve.
        fold: fold of the training.
        model: file of the model.
        cases: the training cases.
        steps: number of training steps.
        start_from: SHA-256 of the model that the training started from; None for random weights.
    """
    content: Mapping[str, Any] = {
        "fold": fold,
        "start": point.start,
        "cases": point.cases,
        "seed": point.seed if point.cases else None,
        "training_cases": sorted(cases),
        "steps": steps,
        "start_from": start_from,
        "digest": sha256(model),
    }
    write_json(path, content)


def log_progress(records: Sequence[str]) -> None:
    """Log how many models of the learning curve exist and how many are left.

    Args:
        records: paths of the records of all models, at least one.
    """
    exist = [Path(path).exists() for path in records]
    logger.info(
        "%d of %s of the learning curve done, %d left",
        exist.count(True),
        format_count(len(exist), "model"),
        exist.count(False),
    )
