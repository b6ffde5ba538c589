"""Reading and validation of a model file's header, without torch and without reading the weights.

A safetensors file (https://github.com/huggingface/safetensors) consists of the length of a JSON header (8 bytes), the
header, and the tensors. Reading it runs no code.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NoReturn

from tumorseg.errors import Message, UserError
from tumorseg.io.files import require_regular_file
from tumorseg.io.volume_errors import broken_link_error, text_file_error
from tumorseg.networks.card_validation import card_problems
from tumorseg.networks.notices import ModelNotice, model_notice
from tumorseg.networks.training_facts import TrainingFacts
from tumorseg.networks.value_checks import printable_excerpt
from tumorseg.task import Task
from tumorseg.task.compatibility import require_task

METADATA_KEY: Final = "tumorseg"  # one key: safetensors writes several in a random order
FORMAT: Final = 5
MAX_MODEL_BYTES: Final = 4 * 2**30
"""Largest size of a model file; see `card_validation.MAX_BASE_CHANNELS`."""
_MAX_HEADER_BYTES: Final = 16 * 2**20
_BYTES_PER_ELEMENT: Final = {"F32": 4, "F16": 2, "I64": 8}
_COPY_AGAIN: Final[Message] = "copy it again, or, if this workflow made it, delete it and run again"
_USE_EXPORTED_MODEL: Final[Message] = (
    "give a model that this workflow exported, such as results/model/fold-0.safetensors"
)


@dataclass(frozen=True)
class ModelHeader:
    """The validated header of a model file.

    Attributes:
        tensors: dtype, as safetensors names it, and shape of each tensor.
        card: the model card, as plain JSON types.
        card_text: the card as written in the file.
        digest: digest of tensors and card.
    """

    tensors: dict[str, tuple[str, tuple[int, ...]]]
    card: dict[str, Any]
    card_text: str
    digest: str

    @property
    def task(self) -> Task:
        """The task of the model."""
        return Task.from_json(json.dumps(self.card["task"]))

    @property
    def trained_on(self) -> TrainingFacts:
        """What the model was trained on."""
        return TrainingFacts.from_json(self.card["trained_on"])

    @property
    def notice(self) -> ModelNotice | None:
        """The notice that each output of the model carries; None if none is needed."""
        demo, scores = self.card["trained_on"]["demo"], self.card.get("starter_scores")
        return model_notice(demo=demo, starter_scores=scores)


def read_header(path: Path) -> ModelHeader:
    """Read and validate the header of a model file, and check the size of the file.

    Args:
        path: the model file, which may be untrusted.

    Returns:
        The validated header.

    Raises:
        UserError: the file is missing, truncated, not a model of this workflow, or has an invalid card.
    """
    try:
        return _read_header(path, require_regular_file(path))
    except OSError as error:
        if path.is_symlink() and not path.exists():
            raise UserError(f"{path}: {broken_link_error(str(path.readlink())).message}") from None
        raise UserError(
            f"{path}: this model cannot be read ({error.strerror}); correct the path, or its permissions"
        ) from None


def require_same_network(path: Path, header: ModelHeader, network: Mapping[str, Any], task: Task) -> None:
    """Check that a model has the network and the task of the configuration.

    Args:
        path: file of the model, for the message.
        header: its header.
        network: section `model` of the configuration.
        task: task of `cohort.task`.

    Raises:
        UserError: the networks differ, or the tasks have different channels, labels or regions.
    """
    require_task(path, header.task, task)
    found = header.card["architecture"]
    if differing := [key for key in network if found[key] != network[key]]:
        values: Message = ", ".join(f"model.{key} {found[key]} instead of {network[key]}" for key in differing)
        raise UserError(
            f"{path}: this model has another network than the configuration ({values}); set these keys to the model's "
            "values, or use another model"
        )


def require_same_normalisation(path: Path, header: ModelHeader, settings: Mapping[str, Any]) -> None:
    """Check that the input of a model is normalised as configured.

    Args:
        path: file of the model, for the message.
        header: its header.
        settings: normalisation settings as cases and models store them, see `resampling.stored_settings`.

    Raises:
        UserError: a setting that affects the input of the network differs.
    """
    found = header.card["normalisation"]
    keys = sorted((found.keys() | settings.keys()) - {"margin_voxels"})  # the margin only adds background
    if differing := [key for key in keys if found.get(key) != settings.get(key)]:
        values: Message = ", ".join(
            f"normalisation.{key} {_format_setting(found.get(key))} instead of {_format_setting(settings.get(key))}"
            for key in differing
        )
        raise UserError(
            f"{path}: the input of this model is normalised in another way than configured ({values}); set these keys "
            "to the model's values, or use another model"
        )


def _format_setting(value: Any) -> Message:
    """Return numbers without trailing zeros, as in config.yaml."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(f'{number:g}' for number in value)}]"
    return "null" if value is None else str(value)


def raise_invalid_model(path: Path, reason: Message, remedy: Message = _COPY_AGAIN) -> NoReturn:
    """Raise the error that a file is not a valid model.

    Args:
        path: the file.
        reason: what is wrong with it.
        remedy: what the user can do.

    Raises:
        UserError: always.
    """
    raise UserError(f"{path}: not a valid model ({reason}); {remedy}")


def _read_header(path: Path, size_bytes: int) -> ModelHeader:
    if size_bytes == 0:
        raise_invalid_model(path, "the file is empty")
    with path.open("rb") as file:
        start = file.read(512)
        length = int.from_bytes(start[:8], "little")
        if len(start) < 8 or not start[8:].lstrip().startswith(b"{"):
            raise_invalid_model(path, *_describe_foreign_file(path, start))
        if not 2 <= length <= min(size_bytes - 8, _MAX_HEADER_BYTES):
            raise_invalid_model(path, f"its header claims a length of {length} bytes, but the file has {size_bytes}")
        file.seek(8)
        text = file.read(length)
    content = _parse_json(path, text)
    metadata = content.pop("__metadata__", None)
    tensors = _validated_tensors(path, content, size_bytes - 8 - length)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(METADATA_KEY), str):
        raise_invalid_model(
            path, "a safetensors file of another program, without a description of the network", _USE_EXPORTED_MODEL
        )
    return _validated_header(path, _parse_json(path, metadata[METADATA_KEY]), tensors)


def _validated_header(
    path: Path, metadata: dict[str, Any], tensors: dict[str, tuple[str, tuple[int, ...]]]
) -> ModelHeader:
    if "origin" in metadata:
        raise_invalid_model(path, "a normalised case of this workflow", _USE_EXPORTED_MODEL)
    if metadata.get("format") != FORMAT:
        raise_invalid_model(
            path,
            f"written in the format {printable_excerpt(metadata.get('format'))} by another version of this workflow; "
            f"this version reads the format {FORMAT}",
            "delete it and run the workflow again to export it again, or train it again",
        )
    card_text, digest = metadata.get("card"), metadata.get("digest")
    if not isinstance(card_text, str) or not isinstance(digest, str):
        raise_invalid_model(path, "its description or its digest is missing")
    card = _parse_json(path, card_text)
    if problems := card_problems(card):
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise_invalid_model(path, f"its description is invalid: {'; '.join(problems[:3])}{more}")
    return ModelHeader(tensors, card, card_text, digest)


def _validated_tensors(path: Path, content: dict[str, Any], size_bytes: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each tensor; together they must fill the `size_bytes` after the header."""
    tensors, ranges = {}, [(0, 0)]
    for name, entry in content.items():
        try:
            shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]
            whole = all(type(number) is int and number >= 0 for number in (*shape, begin, end))
            tensors[name] = (str(entry["dtype"]), shape)
        except (TypeError, KeyError, ValueError):
            whole = False
        if not whole:
            raise_invalid_model(path, f"its header does not describe the tensor {printable_excerpt(name)}")
        itemsize = _BYTES_PER_ELEMENT.get(tensors[name][0])
        if itemsize is not None and end - begin != itemsize * math.prod(shape):
            raise_invalid_model(
                path, f"the tensor {printable_excerpt(name)} has {end - begin} bytes, which does not fit its shape"
            )
        ranges.append((begin, end))
    expected = max(end for _, end in ranges)
    if expected != size_bytes:
        problem = "the file is truncated" if expected > size_bytes else "the file is longer than its header says"
        raise_invalid_model(path, f"{problem}: {size_bytes} bytes of weights instead of {expected}")
    if any(one[1] != following[0] for one, following in pairwise(sorted(ranges))):
        raise_invalid_model(path, "its tensors overlap or leave gaps")
    if size_bytes > MAX_MODEL_BYTES:
        raise_invalid_model(
            path, f"it has {size_bytes} bytes; at most {MAX_MODEL_BYTES} are allowed", _USE_EXPORTED_MODEL
        )
    return tensors


def _parse_json(path: Path, text: bytes | str) -> dict[str, Any]:
    try:
        content = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise_invalid_model(path, "its header is not JSON, or holds NaN or infinity")
    if not isinstance(content, dict):
        raise_invalid_model(path, "its header is not as safetensors writes it")
    return content


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _describe_foreign_file(path: Path, start: bytes) -> tuple[Message, Message]:
    """Return what a file that is not a safetensors file is, judged by its first bytes, and what to do."""
    if start.startswith(b"PK\x03\x04") or (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"):
        checkpoint = re.fullmatch(r"fold-\d+", path.parent.name) and re.fullmatch(r"epoch-\d+", path.stem)
        model = f"results/model/{path.parent.name if checkpoint else 'fold-0'}.safetensors"
        kind: Message = "a training checkpoint" if checkpoint else "a file of torch.save or pickle"
        return (
            f"{kind}, which can run code when it is opened; it was not opened",
            f"give the exported model, such as {model}",
        )
    if text := text_file_error(start):
        return text.message.partition("; ")[0], text.message.partition("; ")[2]
    if path.suffix == ".onnx":
        return "an ONNX file", "give the .safetensors file that it was exported from"
    return "not a safetensors file", _COPY_AGAIN
