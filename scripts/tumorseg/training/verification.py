"""Verifies a checkpoint: reads it from disk again and trusts nothing in it."""

import errno
import json
import math
import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
import torch

from tumorseg.errors import Message, UserError
from tumorseg.io.files import CorruptedFileError, describe_file_kind, read_json, sha256
from tumorseg.networks.devices import Execution
from tumorseg.networks.registry import build_without_weights
from tumorseg.preprocessing.fold_data import FoldData, data_difference
from tumorseg.task.compatibility import describe_other_task
from tumorseg.training.checkpoint import FORMAT, TrainingState, load_checkpoint, probe, record_path
from tumorseg.training.settings import Recipe

_MAX_DIRECTORY_BYTES: Final = 4 * 2**20
"""Bytes, for 40,000 tensors and more. zipfile takes ten times as much memory for it."""
_MAX_PICKLE_BYTES: Final = 16 * 2**20
"""Bytes of what is no tensor: configuration, history, names and digests of the cases."""
_LOCAL_HEADER_BYTES: Final = 30
_ENCRYPTED_FLAG: Final = 1


class _DirectoryReader:
    """A file that gives no more than a directory's bytes at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.seek, self.tell, self.close = self._file.seek, self._file.tell, self._file.close

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_DIRECTORY_BYTES:
            raise ValueError(f"its directory of {size} bytes is too large")
        return self._file.read(_MAX_DIRECTORY_BYTES if size < 0 else size)

    def seekable(self) -> bool:
        return True


def archive_problem(path: Path) -> Message | None:
    """What is wrong with a regular file as the archive of a checkpoint; None if nothing is.

    torch would unpack compressed members of any size, and believes what the directory says of them. Raises OSError.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return "is not an archive as torch.save writes it"
    try:
        reader = _DirectoryReader(path)
        try:
            with ZipFile(reader) as archive:
                return _directory_problem(archive)
        finally:
            reader.close()
    # zipfile raises many kinds where the directory is no directory
    except (BadZipFile, ValueError, IndexError, EOFError, NotImplementedError, OverflowError, struct.error) as error:
        return f"is not an archive as torch.save writes it ({error})"


def _directory_problem(archive: ZipFile) -> Message | None:
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    if len({member.filename for member in members}) < len(members):
        return "is an archive with two members of one name"
    for member in members:
        if member.compress_type != ZIP_STORED or member.file_size != member.compress_size:
            return f"is an archive with a compressed member ({member.filename}), which torch.save never writes"
        if member.flag_bits & _ENCRYPTED_FLAG:
            return f"is an archive with an encrypted member ({member.filename})"
        if member.filename.endswith(".pkl") and member.file_size > _MAX_PICKLE_BYTES:
            return f"is an archive with a description of {member.file_size} bytes ({member.filename})"
    ends = [member.header_offset for member in members[1:]] + [archive.start_dir]
    for member, end in zip(members, ends, strict=True):
        if _earliest_end(member) > end:
            return f"is an archive whose members overlap or are larger than the file ({member.filename})"
    if archive.comment or (members and members[0].header_offset):
        return "is an archive with bytes before or after it"
    return None


def _earliest_end(member: ZipInfo) -> int:
    """Where a member ends at the earliest: its own header may be longer than the one in the directory."""
    return member.header_offset + _LOCAL_HEADER_BYTES + len(member.filename.encode()) + member.compress_size


MAX_SIZE_RATIO: Final = 20
"""A checkpoint is at most so many times as large as the network's weights; four times is what it is."""
_OVERHEAD_BYTES: Final = 32 * 2**20
_DISK_ERRORS: Final = (errno.EIO, errno.ENXIO)
_RESOURCE_MESSAGES: Final = ("allocate memory", "out of memory", "Too many open files")
PROBE_TOLERANCE = 1e-3
"""Machines round differently; a damaged network answers something else altogether."""


@dataclass(frozen=True)
class CheckpointProblem:
    """Why a checkpoint is refused.

    code: missing, empty, no_file, wrong_archive, no_record, digest_mismatch, unreadable, unsafe, wrong_content,
    wrong_format, wrong_task, wrong_recipe, wrong_split, wrong_data, wrong_state, not_finite or probe_mismatch.
    """

    code: str
    message: Message


def checkpoint_problems(path: Path, recipe: Recipe, data: FoldData, epoch: int) -> list[CheckpointProblem]:
    """The problems that make the checkpoint at `path` invalid as that of this recipe, fold, data and epoch."""
    try:
        return _problems(path, recipe, data, epoch)
    except (MemoryError, RuntimeError, OSError) as error:
        if not _is_machine_error(error):  # the disk does not give the file
            return [CheckpointProblem("unreadable", f"cannot be read ({error})")]
        # No verdict: that would last.
        raise UserError(
            f"{path}: this checkpoint could not be read ({error or 'no memory'}), which says nothing against it; free "
            "memory, mend the disk or its permissions, and run again"
        ) from None


def _is_machine_error(error: Exception) -> bool:
    """Whether the machine and not the file caused an error: no memory, no permission, too many open files."""
    if isinstance(error, OSError):
        return error.errno not in _DISK_ERRORS
    return isinstance(error, MemoryError) or any(words in str(error) for words in _RESOURCE_MESSAGES)


def _problems(path: Path, recipe: Recipe, data: FoldData, epoch: int) -> list[CheckpointProblem]:
    """As `problems_of`. Raises what `_is_of_machine` says is the machine's doing, and the errors of the disk."""
    try:
        problem, record = _file_problem(path, recipe)
        if problem is not None:
            return [problem]
        content = load_checkpoint(path)
    except UserError:
        raise
    except pickle.UnpicklingError:
        return [CheckpointProblem("unsafe", "holds Python objects other than tensors and plain types; it was not run")]
    except Exception as error:  # torch raises many kinds
        if isinstance(error, OSError) or _is_machine_error(error):
            raise
        return [CheckpointProblem("unreadable", f"cannot be read ({type(error).__name__}: {error})")]
    try:
        problem = _content_problem(content, recipe, data, epoch) or _record_problem(content, record, recipe)
    except Exception as error:  # the content is not of the kind that it should be
        if _is_machine_error(error):
            raise
        problem = CheckpointProblem("wrong_content", f"is not a checkpoint of this workflow ({type(error).__name__})")
    return [] if problem is None else [problem]


def _file_problem(path: Path, recipe: Recipe) -> tuple[CheckpointProblem | None, dict[str, Any]]:
    """What is wrong with the file's bytes, compared with the record that was written with it; and that record."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return CheckpointProblem("missing", "is not there"), {}
    if kind := describe_file_kind(status.st_mode):
        return CheckpointProblem("no_file", f"is {kind}, not a file"), {}
    if status.st_size == 0:
        return CheckpointProblem("empty", "is empty"), {}
    try:
        record = read_json(record_path(path))
        expected = record["digest"]
    except (CorruptedFileError, KeyError, TypeError):
        name = record_path(path).name
        return CheckpointProblem("no_record", f"has no readable record ({name}), so nothing vouches for it"), {}
    if status.st_size > (most := _max_bytes(recipe)):
        message = f"has {status.st_size} bytes, and a checkpoint of the configured network at most {most}"
        return CheckpointProblem("wrong_archive", message), {}
    if sha256(path) != expected:
        return CheckpointProblem(
            "digest_mismatch", "is damaged or was replaced: its bytes are not those that were saved"
        ), {}
    if (wrong := archive_problem(path)) is not None:
        return CheckpointProblem("wrong_archive", wrong), {}
    return None, record


def _max_bytes(recipe: Recipe) -> int:
    """Far more than a checkpoint takes: weights, their average and two moments of each, in float32."""
    network = build_without_weights(recipe.architecture)
    weights = sum(int(tensor.nbytes) for tensor in network.state_dict().values())
    return MAX_SIZE_RATIO * weights + _OVERHEAD_BYTES


def _content_problem(content: Any, recipe: Recipe, data: FoldData, epoch: int) -> CheckpointProblem | None:
    """What is wrong with an undamaged file's content."""
    state = {"weights", "average", "optimizer", "scaler"}
    needed = {"recipe", "task", "fold", "data", "execution", "epoch", "history", *state}
    if not isinstance(content, dict) or "format" not in content:
        return CheckpointProblem("wrong_content", "is not a checkpoint of this workflow")
    if content["format"] != FORMAT:
        message = f"was written by another version of this workflow (format {content['format']} instead of {FORMAT})"
        return CheckpointProblem("wrong_format", message)
    if not needed <= content.keys():
        return CheckpointProblem("wrong_content", "is not a checkpoint of this workflow")
    if content["history"][-1]["epoch"] != content["epoch"]:
        return CheckpointProblem("wrong_content", "has a history that does not end with its epoch")
    if (content["fold"], content["epoch"]) != (data.fold, epoch):
        there = f"fold {content['fold']}, epoch {content['epoch']}"
        return CheckpointProblem(
            "wrong_content", f"is the checkpoint of {there}, not of fold {data.fold}, epoch {epoch}"
        )
    if content["task"]["facts"] != recipe.task.facts():
        there = content["task"]["name"]
        message = f"was trained for {describe_other_task(str(there), content['task']['facts'], recipe.task)}"
        return CheckpointProblem("wrong_task", message)
    if content["recipe"] != recipe.as_dict():
        difference = _recipe_difference(content["recipe"], recipe)
        return CheckpointProblem("wrong_recipe", f"was trained with another configuration ({difference})")
    if (other := data_difference(content["data"], data)) is not None:
        return CheckpointProblem(*other)
    leaves = dict(_leaves(content))
    if odd := sorted(name for name, leaf in leaves.items() if isinstance(leaf, torch.Tensor) and not _is_dense(leaf)):
        return CheckpointProblem("wrong_content", f"has tensors that stand for more values than they hold ({odd[0]})")
    if not_finite := sorted(name for name, leaf in leaves.items() if not _is_finite(leaf)):
        return CheckpointProblem("not_finite", f"has NaN or infinity in {', '.join(not_finite[:5])}")
    return None


def _record_problem(content: dict[str, Any], record: dict[str, Any], recipe: Recipe) -> CheckpointProblem | None:
    """Where the restored state does not fit the network, or the record tells another story than the checkpoint."""
    state = TrainingState.initial(recipe, content["fold"], Execution(torch.device("cpu"), torch.float32))
    try:
        state.load_state_dict(content)
        fits = all(
            moment.shape == parameter.shape
            for parameter, moments in state.optimizer.state.items()
            for moment in (moments["exp_avg"], moments["exp_avg_sq"])
        )
    except Exception as error:  # torch raises many kinds
        if _is_machine_error(error):
            raise
        fits = False
    if not fits:
        return CheckpointProblem("wrong_state", "has weights or an optimizer that do not fit the configured network")
    told = [record.get(key) for key in ("fold", "epoch")]
    epochs = record.get("epochs")
    if told != [content["fold"], content["epoch"]] or not epochs or epochs != content["history"][-len(epochs) :]:
        return CheckpointProblem("no_record", "has a record that tells of another training, so nothing vouches for it")
    expected = np.array(record.get("probe"), dtype=float)
    if not np.allclose(probe(state.eval_network), expected, rtol=PROBE_TOLERANCE, atol=PROBE_TOLERANCE):
        return CheckpointProblem("probe_mismatch", "does not answer a fixed input as it did when it was saved")
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


def _is_dense(tensor: torch.Tensor) -> bool:
    """Whether a tensor has a value in memory for each of its elements; others can stand for any number of them."""
    dense = tensor.layout == torch.strided and tensor.device.type == "cpu"
    return dense and tensor.nbytes <= tensor.untyped_storage().nbytes()


def _is_finite(leaf: Any) -> bool:
    """Whether a tensor or a number is free of NaN and infinity; everything else is."""
    if isinstance(leaf, torch.Tensor):
        return bool(torch.isfinite(leaf).all())
    return not isinstance(leaf, float) or math.isfinite(leaf)


def _recipe_difference(found: dict[str, Any], recipe: Recipe) -> Message:
    """The keys in which a checkpoint's configuration differs from the expected one, with both values."""
    expected = recipe.as_dict()
    differing: list[Message] = [
        f"{section}.{key}: {json.dumps(found.get(section, {}).get(key))} instead of {json.dumps(value)}"
        for section, values in expected.items()
        for key, value in values.items()
        if found.get(section, {}).get(key) != value
    ]
    return "; ".join(differing) or "other keys"
