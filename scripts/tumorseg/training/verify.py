"""Is a checkpoint sound? Reads it afresh from disk and trusts nothing."""

import json
import math
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tumorseg.errors import UserError
from tumorseg.files import read_json, sha256
from tumorseg.network.execution import Execution
from tumorseg.normalise.fold_data import FoldData, data_difference
from tumorseg.training.checkpoint import FORMAT, load, probe, record_path
from tumorseg.training.settings import Recipe
from tumorseg.training.state import TrainingState

PROBE_TOLERANCE = 1e-3
"""Machines round differently; a damaged network answers something else altogether."""


@dataclass(frozen=True)
class Problem:
    """Why a checkpoint is refused.

    code: missing, empty, no_record, digest_mismatch, unreadable, unsafe, wrong_content, wrong_recipe, wrong_state,
    not_finite or probe_mismatch.
    """

    code: str
    message: str


def problems_of(path: Path, recipe: Recipe, data: FoldData, epoch: int) -> list[Problem]:
    """The problems that make the checkpoint at `path` invalid as that of this recipe, fold, data and epoch."""
    try:
        problem, record = _damage(path)
        if problem is not None:
            return [problem]
        content = load(path)
    except pickle.UnpicklingError:
        return [Problem("unsafe", "holds Python objects other than tensors and plain types; it was not run")]
    except Exception as error:  # whatever the disk or torch raises, nothing can be said for the file
        return [Problem("unreadable", f"cannot be read ({type(error).__name__}: {error})")]
    try:
        problem = _content_problem(content, recipe, data, epoch) or _record_problem(content, record, recipe)
    except Exception as error:  # the content is not of the kind that it should be
        problem = Problem("wrong_content", f"is not a checkpoint of this workflow ({type(error).__name__})")
    return [] if problem is None else [problem]


def _damage(path: Path) -> tuple[Problem | None, dict[str, Any]]:
    """What is wrong with the file's bytes, compared with the record that was written with it; and that record."""
    if not path.is_file():
        return Problem("missing", "is not there"), {}
    if path.stat().st_size == 0:
        return Problem("empty", "is empty"), {}
    try:
        record = read_json(record_path(path))
        expected = record["digest"]
    except (UserError, KeyError, TypeError):
        name = record_path(path).name
        return Problem("no_record", f"has no readable record ({name}), so nothing vouches for it"), {}
    if sha256(path) != expected:
        return Problem("digest_mismatch", "is damaged or was replaced: its bytes are not those that were saved"), {}
    return None, record


def _content_problem(content: Any, recipe: Recipe, data: FoldData, epoch: int) -> Problem | None:
    """What is wrong with an undamaged file's content."""
    state = {"weights", "average", "optimizer", "scaler"}
    needed = {"recipe", "fold", "data", "execution", "epoch", "history", *state}
    if not isinstance(content, dict) or "format" not in content:
        return Problem("wrong_content", "is not a checkpoint of this workflow")
    if content["format"] != FORMAT:
        message = f"was written by another version of this workflow (format {content['format']} instead of {FORMAT})"
        return Problem("wrong_format", message)
    if not needed <= content.keys():
        return Problem("wrong_content", "is not a checkpoint of this workflow")
    if content["history"][-1]["epoch"] != content["epoch"]:
        return Problem("wrong_content", "has a history that does not end with its epoch")
    if (content["fold"], content["epoch"]) != (data.fold, epoch):
        there = f"fold {content['fold']}, epoch {content['epoch']}"
        return Problem("wrong_content", f"is the checkpoint of {there}, not of fold {data.fold}, epoch {epoch}")
    if content["recipe"] != recipe.as_dict():
        difference = _difference(content["recipe"], recipe)
        return Problem("wrong_recipe", f"was trained with another configuration ({difference})")
    if (other := data_difference(content["data"], data)) is not None:
        return Problem(*other)
    not_finite = sorted(_not_finite(content))
    if not_finite:
        return Problem("not_finite", f"has NaN or infinity in {', '.join(not_finite[:5])}")
    return None


def _record_problem(content: dict[str, Any], record: dict[str, Any], recipe: Recipe) -> Problem | None:
    """Where the restored state does not fit the network, or the record tells another story than the checkpoint."""
    state = TrainingState.initial(recipe, content["fold"], Execution(torch.device("cpu"), torch.float32))
    try:
        state.restore(content)
        fits = all(
            moment.shape == parameter.shape
            for parameter, moments in state.optimizer.state.items()
            for moment in (moments["exp_avg"], moments["exp_avg_sq"])
        )
    except Exception:  # torch raises many kinds
        fits = False
    if not fits:
        return Problem("wrong_state", "has weights or an optimizer that do not fit the configured network")
    told = [record.get(key) for key in ("fold", "epoch")]
    epochs = record.get("epochs")
    if told != [content["fold"], content["epoch"]] or not epochs or epochs != content["history"][-len(epochs) :]:
        return Problem("no_record", "has a record that tells of another training, so nothing vouches for it")
    expected = np.array(record.get("probe"), dtype=float)
    if not np.allclose(probe(state.answering), expected, rtol=PROBE_TOLERANCE, atol=PROBE_TOLERANCE):
        return Problem("probe_mismatch", "does not answer a fixed input as it did when it was saved")
    return None


def _not_finite(content: Any, name: str = "") -> set[str]:
    """Names of the tensors and numbers in nested containers that are NaN or infinite."""
    if isinstance(content, torch.Tensor):
        return set() if bool(torch.isfinite(content).all()) else {name}
    if isinstance(content, float):
        return set() if math.isfinite(content) else {name}
    if isinstance(content, dict):
        items = list(content.items())
    elif isinstance(content, list | tuple):
        items = list(enumerate(content))
    else:
        return set()
    return set().union(*(_not_finite(value, f"{name}.{key}".lstrip(".")) for key, value in items))


def _difference(found: dict[str, Any], recipe: Recipe) -> str:
    """The keys in which a checkpoint's configuration differs from the expected one, with both values."""
    expected = recipe.as_dict()
    differing = [
        f"{section}.{key}: {json.dumps(found.get(section, {}).get(key))} instead of {json.dumps(value)}"
        for section, values in expected.items()
        for key, value in values.items()
        if found.get(section, {}).get(key) != value
    ]
    return "; ".join(differing) or "other keys"
