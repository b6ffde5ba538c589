"""Is a checkpoint sound? Reads it afresh from disk and trusts nothing."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tumorseg.files import read_json, sha256
from tumorseg.network.execution import Execution
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


def problems_of(path: Path, recipe: Recipe, fold: int, epoch: int) -> list[Problem]:
    """What speaks against the checkpoint at `path` as that of this recipe, fold and epoch; nothing if it is sound."""
    problem = _damage(path)
    if problem is not None:
        return [problem]
    try:
        content = load(path)
    except pickle.UnpicklingError:
        return [Problem("unsafe", "holds Python objects other than tensors and plain types; it was not run")]
    except Exception as error:  # whatever torch raises, the file is not a checkpoint
        return [Problem("unreadable", f"cannot be read: {type(error).__name__}")]
    try:
        return _content_problems(content, path, recipe, fold, epoch)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return [Problem("wrong_content", f"is not a checkpoint of this workflow ({type(error).__name__})")]


def _damage(path: Path) -> Problem | None:
    """What is wrong with the file's bytes, compared with the record that was written with it."""
    if not path.is_file():
        return Problem("missing", "the file is not there")
    if path.stat().st_size == 0:
        return Problem("empty", "the file is empty")
    try:
        expected = read_json(record_path(path))["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return Problem(
            "no_record", f"its record {record_path(path).name} is missing or unreadable, so nothing vouches for it"
        )
    if sha256(path) != expected:
        return Problem(
            "digest_mismatch", "its bytes are not those that were saved: the file is damaged or was replaced"
        )
    return None


def _content_problems(content: Any, path: Path, recipe: Recipe, fold: int, epoch: int) -> list[Problem]:
    """What is wrong with an undamaged file's content."""
    needed = {"format", "recipe", "fold", "epoch", "history", "weights", "optimizer", "scaler"}
    if not isinstance(content, dict) or not needed <= content.keys() or content["format"] != FORMAT:
        return [Problem("wrong_content", "is not a checkpoint of this workflow")]
    if content["history"][-1]["epoch"] != content["epoch"]:
        return [Problem("wrong_content", "its history does not end with its epoch")]
    if (content["fold"], content["epoch"]) != (fold, epoch):
        there = f"fold {content['fold']}, epoch {content['epoch']}"
        return [Problem("wrong_content", f"is the checkpoint of {there}, not of fold {fold}, epoch {epoch}")]
    if content["recipe"] != recipe.as_dict():
        return [
            Problem(
                "wrong_recipe", f"was trained with another configuration ({_difference(content['recipe'], recipe)})"
            )
        ]
    not_finite = sorted(_not_finite(content))
    if not_finite:
        return [Problem("not_finite", f"NaN or infinity in {', '.join(not_finite[:5])}")]
    state = TrainingState.initial(recipe, fold, Execution(torch.device("cpu"), torch.float32))
    try:
        state.restore(content)
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError):
        return [Problem("wrong_state", "its weights or its optimizer do not fit the configured network")]
    expected = read_json(record_path(path)).get("probe")
    if not np.allclose(probe(state.network), expected, rtol=PROBE_TOLERANCE, atol=PROBE_TOLERANCE):
        return [Problem("probe_mismatch", "the network does not answer a fixed input as it did when it was saved")]
    return []


def _not_finite(content: Any, name: str = "") -> set[str]:
    """Names of the tensors in nested containers that hold NaN or infinity."""
    if isinstance(content, torch.Tensor):
        return set() if bool(torch.isfinite(content).all()) else {name}
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
