"""Is a checkpoint sound? Reads it afresh from disk and trusts nothing."""

import errno
import json
import math
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from tumorseg.errors import Message, UserError
from tumorseg.files import DamagedFileError, kind_of, read_json, sha256
from tumorseg.network.execution import Execution
from tumorseg.network.registry import build_without_weights
from tumorseg.normalise.fold_data import FoldData, data_difference
from tumorseg.task.difference import other_task
from tumorseg.training.archive import archive_problem
from tumorseg.training.checkpoint import FORMAT, load, probe, record_path
from tumorseg.training.settings import Recipe
from tumorseg.training.state import TrainingState

MOST_COPIES: Final = 20
"""A checkpoint is at most so many times as large as the network's weights; four times is what it is."""
_OTHER_BYTES: Final = 32 * 2**20
_OF_THE_DISK: Final = (errno.EIO, errno.ENXIO)
_NO_MEMORY: Final = ("allocate memory", "out of memory", "Too many open files")
PROBE_TOLERANCE = 1e-3
"""Machines round differently; a damaged network answers something else altogether."""


@dataclass(frozen=True)
class Problem:
    """Why a checkpoint is refused.

    code: missing, empty, no_file, wrong_archive, no_record, digest_mismatch, unreadable, unsafe, wrong_content,
    wrong_format, wrong_task, wrong_recipe, wrong_split, wrong_data, wrong_state, not_finite or probe_mismatch.
    """

    code: str
    message: Message


def problems_of(path: Path, recipe: Recipe, data: FoldData, epoch: int) -> list[Problem]:
    """The problems that make the checkpoint at `path` invalid as that of this recipe, fold, data and epoch."""
    try:
        return _problems(path, recipe, data, epoch)
    except (MemoryError, RuntimeError, OSError) as error:
        if not _is_of_machine(error):  # the disk does not give the file
            return [Problem("unreadable", f"cannot be read ({error})")]
        # No verdict: that would last.
        raise UserError(
            f"{path}: this checkpoint could not be read ({error or 'no memory'}), which says nothing against it; free "
            "memory, mend the disk or its permissions, and run again"
        ) from None


def _is_of_machine(error: Exception) -> bool:
    """Whether the machine and not the file caused an error: no memory, no permission, too many open files."""
    if isinstance(error, OSError):
        return error.errno not in _OF_THE_DISK
    return isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY)


def _problems(path: Path, recipe: Recipe, data: FoldData, epoch: int) -> list[Problem]:
    """As `problems_of`. Raises what `_is_of_machine` says is the machine's doing, and the errors of the disk."""
    try:
        problem, record = _damage(path, recipe)
        if problem is not None:
            return [problem]
        content = load(path)
    except UserError:
        raise
    except pickle.UnpicklingError:
        return [Problem("unsafe", "holds Python objects other than tensors and plain types; it was not run")]
    except Exception as error:  # torch raises many kinds
        if isinstance(error, OSError) or _is_of_machine(error):
            raise
        return [Problem("unreadable", f"cannot be read ({type(error).__name__}: {error})")]
    try:
        problem = _content_problem(content, recipe, data, epoch) or _record_problem(content, record, recipe)
    except Exception as error:  # the content is not of the kind that it should be
        if _is_of_machine(error):
            raise
        problem = Problem("wrong_content", f"is not a checkpoint of this workflow ({type(error).__name__})")
    return [] if problem is None else [problem]


def _damage(path: Path, recipe: Recipe) -> tuple[Problem | None, dict[str, Any]]:
    """What is wrong with the file's bytes, compared with the record that was written with it; and that record."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Problem("missing", "is not there"), {}
    if kind := kind_of(status.st_mode):
        return Problem("no_file", f"is {kind}, not a file"), {}
    if status.st_size == 0:
        return Problem("empty", "is empty"), {}
    try:
        record = read_json(record_path(path))
        expected = record["digest"]
    except (DamagedFileError, KeyError, TypeError):
        name = record_path(path).name
        return Problem("no_record", f"has no readable record ({name}), so nothing vouches for it"), {}
    if status.st_size > (most := _most_bytes(recipe)):
        message = f"has {status.st_size} bytes, and a checkpoint of the configured network at most {most}"
        return Problem("wrong_archive", message), {}
    if sha256(path) != expected:
        return Problem("digest_mismatch", "is damaged or was replaced: its bytes are not those that were saved"), {}
    if (wrong := archive_problem(path)) is not None:
        return Problem("wrong_archive", wrong), {}
    return None, record


def _most_bytes(recipe: Recipe) -> int:
    """Far more than a checkpoint takes: weights, their average and two moments of each, in float32."""
    network = build_without_weights(recipe.architecture)
    weights = sum(int(tensor.nbytes) for tensor in network.state_dict().values())
    return MOST_COPIES * weights + _OTHER_BYTES


def _content_problem(content: Any, recipe: Recipe, data: FoldData, epoch: int) -> Problem | None:
    """What is wrong with an undamaged file's content."""
    state = {"weights", "average", "optimizer", "scaler"}
    needed = {"recipe", "task", "fold", "data", "execution", "epoch", "history", *state}
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
    if content["task"]["facts"] != recipe.task.facts():
        there = content["task"]["name"]
        message = f"was trained for {other_task(str(there), content['task']['facts'], recipe.task)}"
        return Problem("wrong_task", message)
    if content["recipe"] != recipe.as_dict():
        difference = _difference(content["recipe"], recipe)
        return Problem("wrong_recipe", f"was trained with another configuration ({difference})")
    if (other := data_difference(content["data"], data)) is not None:
        return Problem(*other)
    leaves = dict(_leaves(content))
    if odd := sorted(name for name, leaf in leaves.items() if isinstance(leaf, torch.Tensor) and not _is_plain(leaf)):
        return Problem("wrong_content", f"has tensors that stand for more values than they hold ({odd[0]})")
    if not_finite := sorted(name for name, leaf in leaves.items() if not _is_finite(leaf)):
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
    except Exception as error:  # torch raises many kinds
        if _is_of_machine(error):
            raise
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


def _leaves(content: Any) -> Iterator[tuple[str, Any]]:
    """What nested containers hold, by name; a container that stands in several places is looked at once."""
    waiting, seen = [("", content)], set()
    while waiting:
        name, value = waiting.pop()
        if not isinstance(value, dict | list | tuple):
            yield name, value
        elif id(value) not in seen:
            seen.add(id(value))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [(f"{name}.{key}".lstrip("."), held) for key, held in items]


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor has a value in memory for each of its elements; others can stand for any number of them."""
    dense = tensor.layout == torch.strided and tensor.device.type == "cpu"
    return dense and tensor.nbytes <= tensor.untyped_storage().nbytes()


def _is_finite(leaf: Any) -> bool:
    """Whether a tensor or a number is free of NaN and infinity; everything else is."""
    if isinstance(leaf, torch.Tensor):
        return bool(torch.isfinite(leaf).all())
    return not isinstance(leaf, float) or math.isfinite(leaf)


def _difference(found: dict[str, Any], recipe: Recipe) -> Message:
    """The keys in which a checkpoint's configuration differs from the expected one, with both values."""
    expected = recipe.as_dict()
    differing: list[Message] = [
        f"{section}.{key}: {json.dumps(found.get(section, {}).get(key))} instead of {json.dumps(value)}"
        for section, values in expected.items()
        for key, value in values.items()
        if found.get(section, {}).get(key) != value
    ]
    return "; ".join(differing) or "other keys"
