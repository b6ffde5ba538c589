"""A trained model on disk: one safetensors file with the weights and all that is needed to apply them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from tumorseg.errors import Message, UserError
from tumorseg.io.digests import content_digest
from tumorseg.io.files import write_bytes
from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.card_validation import card_problems
from tumorseg.networks.factory import NETWORKS, build, build_without_weights
from tumorseg.networks.model_header import FORMAT, METADATA_KEY, raise_invalid_model, read_header
from tumorseg.networks.notices import ModelNotice, model_notice
from tumorseg.networks.subset_scores import SubsetScores
from tumorseg.networks.training_facts import TrainingFacts
from tumorseg.networks.value_checks import printable_excerpt
from tumorseg.task import Task

_USE_OTHER_VERSION: Final = "use the version of the workflow that made it"
_DTYPES: Final = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}
_LARGEST_HALF: Final = torch.finfo(torch.float16).max


@dataclass(frozen=True)
class ModelCard:
    """Description of a model: how to rebuild the network, how to prepare its input, and where its weights come from.

    Attributes:
        architecture: description of the network.
        task: meaning of its input and output.
        normalisation: settings of the normalisation of its input.
        convention: label convention of the masks of its training cases: one of the task's conventions, or `mixed`; None
            if no mask shows it.
        fold: fold of the training.
        epoch: epoch of the weights.
        checkpoint: SHA-256 of the checkpoint of the weights.
        split: digest of the training and held-out cases, see `cohort.splits.split_digest`.
        trained_on: statistics of the training cases.
        start_from: SHA-256 of the model whose weights the training started from; None for random weights.
        starter_scores: for a starter model, which was trained on synthetic cases only, a sentence with its measured
            scores; None for any other model.
        subset_scores: for a starter model, its scores with subsets of its channels; None if they are not known, and for
            any other model, which has them in a file beside it (`subset_scores.subset_scores_path`).
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
    start_from: str | None = None
    starter_scores: str | None = None
    subset_scores: SubsetScores | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the card from plain JSON types that `card_problems` has found valid."""
        scores = content.get("subset_scores")
        parsed = {
            "architecture": Architecture(**content["architecture"]),
            "task": Task.from_json(json.dumps(content["task"])),
            "trained_on": TrainingFacts.from_json(content["trained_on"]),
            "subset_scores": None if scores is None else SubsetScores.from_json(scores),
        }
        return cls(**{**content, **parsed})

    @property
    def notice(self) -> ModelNotice | None:
        """The notice that each output of the model carries; None if none is needed."""
        return model_notice(demo=self.trained_on.demo, starter_scores=self.starter_scores)

    @property
    def mark(self) -> str:
        """The text that marks each output of the model; empty if none is needed."""
        return self.notice.mark if self.notice else ""

    def to_json(self) -> dict[str, Any]:
        """Return the card as plain JSON types, without the keys that only a starter model has if they are None."""
        content = asdict(self)
        for key in ("starter_scores", "subset_scores"):
            if content[key] is None:
                del content[key]
        return content


def write_model(path: Path, network: Network, card: ModelCard, *, half: bool = False) -> None:
    """Write a model atomically, with a digest of weights and card. Equal models give equal bytes.

    Args:
        path: the safetensors file.
        network: its weights are saved.
        card: description of the model.
        half: whether to write learned weights as float16, which halves the file. The statistics of batch norm stay
            float32, because variances can be large.

    Raises:
        UserError: a weight is too large for float16.
        ValueError: `read_model` would not accept the card.
    """
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    if half:
        weights |= {name: _as_half(name, weights[name]) for name, _ in network.named_parameters()}
    text = json.dumps(card.to_json(), sort_keys=True)
    if problems := card_problems(json.loads(text)):
        raise ValueError("; ".join(problems))
    header = {"format": FORMAT, "digest": _digest(weights, text), "card": text}
    write_bytes(path, save(weights, metadata={METADATA_KEY: json.dumps(header, sort_keys=True)}))


def read_model(path: Path) -> tuple[Network, ModelCard]:
    """Read a model file.

    The card is validated and compared with the tensors in the header before any tensor is loaded.

    Args:
        path: the model file, which may be untrusted.

    Returns:
        The network, on the CPU in evaluation mode and with float32 weights, and the model card.

    Raises:
        UserError: the header is invalid (see `model_header.read_header`), or the weights do not fit the card, are
            non-finite, or differ from what was written.
    """
    header = read_header(path)
    card = ModelCard.from_json(header.card)
    if card.architecture.name not in NETWORKS:
        known = " or ".join(NETWORKS)
        raise_invalid_model(
            path,
            f"its network is {printable_excerpt(card.architecture.name)}; this version of the workflow has {known}",
            _USE_OTHER_VERSION,
        )
    if difference := _tensor_difference(_expected_tensors(card.architecture, header.tensors), header.tensors):
        raise_invalid_model(path, f"its weights do not fit its description: {difference}")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise_invalid_model(path, str(error))
    if header.digest != _digest(weights, header.card_text):
        raise_invalid_model(path, "its content is not what was written")
    if wrong := _invalid_values(weights):
        raise_invalid_model(
            path, f"{wrong}: its output is useless", "use the model of another epoch, or train it again"
        )
    network = build(card.architecture)
    network.load_state_dict(weights)  # copies float16 into float32
    return network.eval(), card


def _as_half(name: str, tensor: Tensor) -> Tensor:
    """Return a tensor as float16."""
    largest = float(tensor.abs().max())
    if largest > _LARGEST_HALF:
        raise UserError(
            f"{name} has the value {largest:g}, but float16 holds at most {_LARGEST_HALF:g}; keep this model in float32"
        )
    return tensor.half()


def _expected_tensors(
    architecture: Architecture, found: Mapping[str, tuple[str, tuple[int, ...]]]
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each tensor in the file of a network, without allocating its weights.

    The learned weights are float16 if none of those in the file is float32.
    """
    network = build_without_weights(architecture)
    state = network.state_dict()
    learned = [name for name, _ in network.named_parameters()]
    if all(found[name][0] != "F32" for name in learned if name in found):
        state |= {name: state[name].half() for name in learned}
    return {name: (_DTYPES[tensor.dtype], tuple(tensor.shape)) for name, tensor in state.items()}


def _tensor_difference(
    expected: Mapping[str, tuple[str, tuple[int, ...]]], found: Mapping[str, tuple[str, tuple[int, ...]]]
) -> Message:
    """Describe the first tensor in which the weights differ from the expected ones; empty if they agree."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if name not in expected:
            return f"{printable_excerpt(name)} is not part of the network"
        if expected[name] != found[name]:
            return f"{name} is {_describe_tensor(found[name])} instead of {_describe_tensor(expected[name])}"
    return ""


def _describe_tensor(tensor: tuple[str, tuple[int, ...]]) -> str:
    dtype, shape = tensor
    return f"{printable_excerpt(dtype)[1:-1]} {'x'.join(map(str, shape[:8])) or 'scalar'}"


def _invalid_values(weights: Mapping[str, Tensor]) -> Message:
    """Describe the first tensor with non-finite values or negative variances; empty if there is none."""
    for name, tensor in sorted(weights.items()):
        if not bool(torch.isfinite(tensor).all()):
            return f"{name} has values that are NaN or infinite"
        if name.endswith("running_var") and bool((tensor < 0).any()):
            return f"{name} has variances below 0"
    return ""


def _digest(weights: Mapping[str, Tensor], card: str) -> str:
    return content_digest({name: tensor.numpy() for name, tensor in weights.items()}, card)
