"""Verification of a checkpoint: reads it from disk again, as an untrusted file."""

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
from tumorseg.io.digests import sha256
from tumorseg.io.files import CorruptedFileError, describe_file_kind, read_json
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build_without_weights
from tumorseg.preprocessing.fold_data import FoldData, data_difference
from tumorseg.task.compatibility import describe_other_task
from tumorseg.training.checkpoint import FORMAT, TrainingState, checkpoint_record_path, load_checkpoint, probe
from tumorseg.training.recipe import Recipe, with_defaults

_MAX_DIRECTORY_BYTES: Final = 4 * 2**20
"""Enough for over 40,000 tensors. zipfile takes ten times as much memory to read the directory."""
_MAX_PICKLE_BYTES: Final = 16 * 2**20
"""Limit for everything but tensors: configuration, history, names and digests of the cases."""
_LOCAL_HEADER_BYTES: Final = 30
_ENCRYPTED_FLAG: Final = 1


class _DirectoryReader:
    """A file that refuses to read more at once than the directory of an archive may have."""

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
    """Return what is wrong with the zip archive of a checkpoint; None if it is valid.

    torch itself would unpack compressed members of any size, and trusts the directory of the archive.

    Args:
        path: a regular file.

    Raises:
        OSError: the file cannot be read.
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
    # zipfile raises many kinds of errors for an invalid directory.
    except (BadZipFile, ValueError, IndexError, EOFError, NotImplementedError, OverflowError, struct.error) as error:
        return f"is not an archive as torch.save writes it ({error})"


def _directory_problem(archive: ZipFile) -> Message | None:
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    if len({member.filename for member in members}) < len(members):
        return "is an archive with two members of the same name"
    for member in members:
        if member.compress_type != ZIP_STORED or member.file_size != member.compress_size:
            return f"is an archive with a compressed member ({member.filename}), which torch.save never writes"
        if member.flag_bits & _ENCRYPTED_FLAG:
            return f"is an archive with an encrypted member ({member.filename})"
        if member.filename.endswith(".pkl") and member.file_size > _MAX_PICKLE_BYTES:
            return f"is an archive with an oversized description, {member.file_size} bytes ({member.filename})"
    ends = [member.header_offset for member in members[1:]] + [archive.start_dir]
    for member, end in zip(members, ends, strict=True):
        if _earliest_end(member) > end:
            return f"is an archive whose members overlap or are larger than the file ({member.filename})"
    if archive.comment or (members and members[0].header_offset):
        return "is an archive with additional bytes before or after it"
    return None


def _earliest_end(member: ZipInfo) -> int:
    """Return the earliest possible end of a member; its local header may be longer than its directory entry."""
    return member.header_offset + _LOCAL_HEADER_BYTES + len(member.filename.encode()) + member.compress_size


MAX_SIZE_RATIO: Final = 20
"""Largest allowed ratio of a checkpoint's size to that of the network's weights. It is usually 4."""
_OVERHEAD_BYTES: Final = 32 * 2**20
_DISK_ERRORS: Final = (errno.EIO, errno.ENXIO)
_RESOURCE_MESSAGES: Final = ("allocate memory", "out of memory", "Too many open files")
PROBE_TOLERANCE = 1e-3
"""Machines round differently; the output of a corrupted network differs far more."""


@dataclass(frozen=True)
class CheckpointProblem:
    """Why a checkpoint is invalid.

    Attributes:
        code: missing, empty, no_file, wrong_archive, no_record, digest_mismatch, unreadable, unsafe, wrong_content,
            wrong_format, wrong_task, wrong_recipe, wrong_split, wrong_data, wrong_state, not_finite or probe_mismatch.
        message: what is wrong, to be read after the name of the file.
    """

    code: str
    message: Message


def checkpoint_problems(path: Path, recipe: Recipe, data: FoldData, epoch: int) -> list[CheckpointProblem]:
    """Return the problems that make a checkpoint invalid; empty if it is valid.

    Args:
        path: the checkpoint, with its record beside it.
        recipe: expected configuration and task.
        data: expected fold and data.
        epoch: expected epoch.

    Raises:
        UserError: the machine could not read the file, so it is unknown whether it is valid.
    """
    try:
        return _problems(path, recipe, data, epoch)
    except (MemoryError, RuntimeError, OSError) as error:
        if not _is_machine_error(error):  # the disk cannot read these bytes
            return [CheckpointProblem("unreadable", f"cannot be read ({error})")]
        # An error instead of a result: Snakemake would keep the result.
        raise UserError(
            f"{path}: this checkpoint could not be read ({error or 'no memory'}) but may be valid; free memory, fix "
            "the disk or the permissions, and run again"
        ) from None


def _is_machine_error(error: Exception) -> bool:
    """Return whether the machine caused an error, not the file: no memory, no permission, too many open files."""
    if isinstance(error, OSError):
        return error.errno not in _DISK_ERRORS
    return isinstance(error, MemoryError) or any(words in str(error) for words in _RESOURCE_MESSAGES)


def _problems(path: Path, recipe: Recipe, data: FoldData, epoch: int) -> list[CheckpointProblem]:
    """Return the problems of a checkpoint; raise the errors of the machine and of the disk."""
    try:
        problem, record = _file_problem(path, recipe)
        if problem is not None:
            return [problem]
        content = load_checkpoint(path)
    except UserError:
        raise
    except pickle.UnpicklingError:
        return [CheckpointProblem("unsafe", "holds Python objects other than tensors and plain types; not loaded")]
    except Exception as error:  # torch raises many kinds of errors
        if isinstance(error, OSError) or _is_machine_error(error):
            raise
        return [CheckpointProblem("unreadable", f"cannot be read ({type(error).__name__}: {error})")]
    try:
        problem = _content_problem(content, recipe, data, epoch) or _record_problem(content, record, recipe)
    except Exception as error:  # parts of the content have unexpected types
        if _is_machine_error(error):
            raise
        problem = CheckpointProblem("wrong_content", f"is not a checkpoint of this workflow ({type(error).__name__})")
    return [] if problem is None else [problem]


def _file_problem(path: Path, recipe: Recipe) -> tuple[CheckpointProblem | None, dict[str, Any]]:
    """Return what is wrong with the bytes of the file, compared with its record; and the record."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return CheckpointProblem("missing", "is missing"), {}
    if kind := describe_file_kind(status.st_mode):
        return CheckpointProblem("no_file", f"is {kind}, not a file"), {}
    if status.st_size == 0:
        return CheckpointProblem("empty", "is empty"), {}
    try:
        record = read_json(checkpoint_record_path(path))
        expected = record["digest"]
    except (CorruptedFileError, KeyError, TypeError):
        name = checkpoint_record_path(path).name
        return CheckpointProblem("no_record", f"has no readable record ({name}), so it cannot be verified"), {}
    if status.st_size > (max_bytes := _max_bytes(recipe)):
        message = f"has {status.st_size} bytes; a checkpoint of the configured network has at most {max_bytes}"
        return CheckpointProblem("wrong_archive", message), {}
    if sha256(path) != expected:
        return CheckpointProblem(
            "digest_mismatch", "is corrupted or was replaced: its bytes differ from those that were saved"
        ), {}
    if (wrong := archive_problem(path)) is not None:
        return CheckpointProblem("wrong_archive", wrong), {}
    return None, record


def _max_bytes(recipe: Recipe) -> int:
    """Return a generous limit for the size of a checkpoint (weights, their average and two moments, in float32)."""
    network = build_without_weights(recipe.architecture)
    weights = sum(int(tensor.nbytes) for tensor in network.state_dict().values())
    return MAX_SIZE_RATIO * weights + _OVERHEAD_BYTES


def _content_problem(content: Any, recipe: Recipe, data: FoldData, epoch: int) -> CheckpointProblem | None:
    """Return what is wrong with the content of a file whose digest matches its record."""
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
        found = f"fold {content['fold']}, epoch {content['epoch']}"
        return CheckpointProblem(
            "wrong_content", f"is the checkpoint of {found}, not of fold {data.fold}, epoch {epoch}"
        )
    if content["task"]["facts"] != recipe.task.facts():
        found = content["task"]["name"]
        message = f"was trained for {describe_other_task(str(found), content['task']['facts'], recipe.task)}"
        return CheckpointProblem("wrong_task", message)
    if (recorded := with_defaults(content["recipe"])) != recipe.as_dict():
        difference = _recipe_difference(recorded, recipe)
        return CheckpointProblem("wrong_recipe", f"was trained with another configuration ({difference})")
    if (other := data_difference(content["data"], data)) is not None:
        return CheckpointProblem(*other)
    leaves = dict(_leaves(content))
    if odd := sorted(name for name, leaf in leaves.items() if isinstance(leaf, torch.Tensor) and not _is_dense(leaf)):
        return CheckpointProblem("wrong_content", f"has tensors with more values than bytes in memory ({odd[0]})")
    if non_finite := sorted(name for name, leaf in leaves.items() if not _is_finite(leaf)):
        return CheckpointProblem("not_finite", f"has NaN or infinity in {', '.join(non_finite[:5])}")
    return None


def _record_problem(content: dict[str, Any], record: dict[str, Any], recipe: Recipe) -> CheckpointProblem | None:
    """Return the problem if the state does not fit the network, or the record does not match the checkpoint."""
    state = TrainingState.initial(recipe, content["fold"], Execution(torch.device("cpu"), torch.float32))
    try:
        state.load_state_dict(content)
        fits = all(
            moment.shape == parameter.shape
            for parameter, moments in state.optimizer.state.items()
            for moment in (moments["exp_avg"], moments["exp_avg_sq"])
        )
    except Exception as error:  # torch raises many kinds of errors
        if _is_machine_error(error):
            raise
        fits = False
    if not fits:
        return CheckpointProblem("wrong_state", "has weights or an optimizer that do not fit the configured network")
    recorded = [record.get(key) for key in ("fold", "epoch")]
    epochs = record.get("epochs")
    if recorded != [content["fold"], content["epoch"]] or not epochs or epochs != content["history"][-len(epochs) :]:
        return CheckpointProblem("no_record", "has the record of another training, so it cannot be verified")
    expected = np.array(record.get("probe"), dtype=float)
    if not np.allclose(probe(state.eval_network), expected, rtol=PROBE_TOLERANCE, atol=PROBE_TOLERANCE):
        return CheckpointProblem("probe_mismatch", "gives another output for a fixed input than when it was saved")
    return None


def _leaves(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the leaves of nested containers; visit a shared container once."""
    stack, seen = [("", content)], set()
    while stack:
        name, value = stack.pop()
        if not isinstance(value, dict | list | tuple):
            yield name, value
        elif id(value) not in seen:
            seen.add(id(value))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            stack += [(f"{name}.{key}".lstrip("."), item) for key, item in items]


def _is_dense(tensor: torch.Tensor) -> bool:
    """Return whether a tensor stores each of its elements; an expanded one can claim any number of elements."""
    dense = tensor.layout == torch.strided and tensor.device.type == "cpu"
    return dense and tensor.nbytes <= tensor.untyped_storage().nbytes()


def _is_finite(leaf: Any) -> bool:
    """Return whether a tensor or number is free of NaN and infinity; True for other types."""
    if isinstance(leaf, torch.Tensor):
        return bool(torch.isfinite(leaf).all())
    return not isinstance(leaf, float) or math.isfinite(leaf)


def _recipe_difference(found: dict[str, Any], recipe: Recipe) -> Message:
    """Return the keys in which a checkpoint's configuration differs from the expected one, with both values."""
    expected = recipe.as_dict()
    differing: list[Message] = [
        f"{section}.{key}: {json.dumps(found.get(section, {}).get(key))} instead of {json.dumps(value)}"
        for section, values in expected.items()
        for key, value in values.items()
        if found.get(section, {}).get(key) != value
    ]
    return "; ".join(differing) or "other keys"
