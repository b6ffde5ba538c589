"""The model that a training starts from instead of random weights (`training.start_from`)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks.base import Network
from tumorseg.networks.model import ModelCard, read_model
from tumorseg.networks.model_header import read_header, require_same_network, require_same_normalisation
from tumorseg.networks.training_facts import case_signature
from tumorseg.preprocessing.store import case_origin
from tumorseg.task import Task
from tumorseg.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class StartModel:
    """The model that a training starts from.

    Attributes:
        weights: state of its network.
        case_signatures: the cases that it was trained on, see `TrainingFacts.case_signatures`.
    """

    weights: Mapping[str, Tensor]
    case_signatures: tuple[str, ...]


def read_fitting_model(
    path: Path, digest: str, network: Mapping[str, Any], task: Task, held_out_cases: Sequence[Path]
) -> tuple[Network, ModelCard]:
    """Read a model that fits the configuration and knows no held-out case.

    Args:
        path: file of the model.
        digest: SHA-256 of the file at the planning.
        network: keys of the section `model` of the configuration.
        task: the task of the configuration.
        held_out_cases: files of the normalised held-out cases.

    Returns:
        The network and the card of the model.

    Raises:
        UserError: the file is missing, has changed since the planning, is no valid model, has another network or task,
            needs cases that are normalised in another way, or was trained on one of the held-out cases.
    """
    try:
        header = read_header(path)
        require_same_network(path, header, network, task)
        if held_out_cases:
            require_same_normalisation(path, header, case_origin(held_out_cases[0]).settings)
        if sha256(path) != digest:
            raise UserError(f"{path}: the file has changed since the run was planned; run again")
        model, card = read_model(path)
    except UserError as error:
        raise UserError(f"training.start_from: {error}") from None
    known = card.trained_on.case_signatures
    if seen := [path.stem for path in held_out_cases if _signature(path, task) in known]:
        raise UserError(
            f"training.start_from: {path} was trained on {len(seen)} of the {len(held_out_cases)} held-out cases, such "
            f"as {seen[0]}, so their scores would be too good; hold out other cases (cohort.split_file), or use a "
            "model that was trained without them"
        )
    return model, card


def read_start_model(path: Path | None, recipe: Recipe, held_out_cases: Sequence[Path]) -> StartModel | None:
    """Read the model that a training starts from.

    Args:
        path: file of the model.
        recipe: the configuration of the training, with the SHA-256 of the file.
        held_out_cases: files of the normalised cases to be validated on.

    Returns:
        The model, or None if the training starts from random weights.

    Raises:
        UserError: the model does not fit, see `read_fitting_model`.
    """
    if recipe.training.start_from is None:
        return None
    if path is None:
        raise UserError("training.start_from: the path of the model is missing")
    network, card = read_fitting_model(
        path, recipe.training.start_from, asdict(recipe.architecture), recipe.task, held_out_cases
    )
    return StartModel(network.state_dict(), card.trained_on.case_signatures)


def _signature(case: Path, task: Task) -> str | None:
    """Return the signature of a normalised case; None if it does not record its raw files."""
    files = case_origin(case).files
    return case_signature(files, task) if files else None
