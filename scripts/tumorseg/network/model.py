"""A trained model on disk: one safetensors file with the weights and all that is needed to use them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from tumorseg.digests import content_digest
from tumorseg.errors import Message
from tumorseg.files import write_bytes
from tumorseg.network.allowed import shown
from tumorseg.network.architecture import Architecture
from tumorseg.network.card_check import card_problems
from tumorseg.network.model_file import FORMAT, METADATA_KEY, read_header, refuse
from tumorseg.network.protocol import Network
from tumorseg.network.registry import NETWORKS, build, build_without_weights
from tumorseg.network.training_facts import TrainingFacts
from tumorseg.task import Task

DEMONSTRATION: Final = "DEMONSTRATION MODEL: of no use on patients"
"""What everything that a model of the demo cohort makes is marked with. It fits into a NIfTI header, 80 bytes."""
_OTHER: Final = "use the version of the workflow that made it"
_DTYPES: Final = {torch.float32: "F32", torch.int64: "I64"}


@dataclass(frozen=True)
class ModelCard:
    """What a model's weights are: how to rebuild the network, how to prepare its input, and which checkpoint it was.

    task: what its input and output mean. convention: how the masks it was trained on
    write labels, one of the task's conventions; `mixed`, or None where none shows it. checkpoint: SHA-256 of the one
    that the weights were taken from. split: digest of the cases that it was trained on and of those that its fold holds
    out, see `cohort.splits.split_digest`. trained_on: what its training cases were like.
    """

    architecture: Architecture
    task: Task
    normalisation: dict[str, Any]
    convention: str | None
    fold: int
    epoch: int
    checkpoint: str
    split: str
    trained_on: TrainingFacts

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The card from plain JSON types without `card_check.card_problems`."""
        own = {
            "architecture": Architecture(**content["architecture"]),
            "task": Task.from_json(json.dumps(content["task"])),
            "trained_on": TrainingFacts.from_json(content["trained_on"]),
        }
        return cls(**{**content, **own})

    @property
    def mark(self) -> str:
        """What to mark each output of the model with; empty where nothing has to be said."""
        return DEMONSTRATION if self.trained_on.demo else ""


def write_model(path: Path, network: Network, card: ModelCard) -> None:
    """Write a network's weights and its card with a digest of both, whole or not at all. Equal models, equal bytes.

    Raises ValueError where the card is not one that `read_model` would accept.
    """
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    text = json.dumps(asdict(card), sort_keys=True)
    if problems := card_problems(json.loads(text)):
        raise ValueError("; ".join(problems))
    header = {"format": FORMAT, "digest": _digest(weights, text), "card": text}
    write_bytes(path, save(weights, metadata={METADATA_KEY: json.dumps(header, sort_keys=True)}))


def read_model(path: Path) -> tuple[Network, ModelCard]:
    """The network (on the CPU, in evaluation mode) and its card.

    Its description is compared with the head of the file before any tensor is loaded. Raises UserError if the file is
    no valid model of this workflow: see `model_file.read_header`; weights that do not fit the description, are not
    finite, or are not what was written.
    """
    header = read_header(path)
    card = ModelCard.from_json(header.card)
    if card.architecture.name not in NETWORKS:
        known = " or ".join(NETWORKS)
        refuse(
            path, f"its network is {shown(card.architecture.name)}; this version of the workflow has {known}", _OTHER
        )
    if difference := _difference(_expected(card.architecture), header.tensors):
        refuse(path, f"its weights do not fit its description: {difference}")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        refuse(path, str(error))
    if header.digest != _digest(weights, header.card_text):
        refuse(path, "its content is not what was written")
    if wrong := _not_usable(weights):
        refuse(path, f"{wrong}: no answer of it would be right", "use the model of another epoch, or train it again")
    network = build(card.architecture)
    network.load_state_dict(weights)
    return network.eval(), card


def _expected(architecture: Architecture) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each tensor of a network, which is built without memory for its weights."""
    network = build_without_weights(architecture)
    return {name: (_DTYPES[tensor.dtype], tuple(tensor.shape)) for name, tensor in network.state_dict().items()}


def _difference(
    expected: Mapping[str, tuple[str, tuple[int, ...]]], found: Mapping[str, tuple[str, tuple[int, ...]]]
) -> Message:
    """The first tensor in which two sets of weights differ, in words; empty where they agree."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if name not in expected:
            return f"{shown(name)} is no part of the network"
        if expected[name] != found[name]:
            return f"{name} is {_words(found[name])} instead of {_words(expected[name])}"
    return ""


def _words(tensor: tuple[str, tuple[int, ...]]) -> str:
    dtype, shape = tensor
    return f"{shown(dtype)[1:-1]} {'x'.join(map(str, shape[:8])) or 'scalar'}"


def _not_usable(weights: Mapping[str, Tensor]) -> Message:
    """The first tensor with values that no training leaves, in words; empty where there is none."""
    for name, tensor in sorted(weights.items()):
        if not bool(torch.isfinite(tensor).all()):
            return f"{name} has values that are NaN or infinite"
        if name.endswith("running_var") and bool((tensor < 0).any()):
            return f"{name} has variances below 0"
    return ""


def _digest(weights: Mapping[str, Tensor], card: str) -> str:
    return content_digest({name: tensor.numpy() for name, tensor in weights.items()}, card)
