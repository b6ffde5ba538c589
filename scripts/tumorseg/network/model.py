"""A trained model on disk: one safetensors file with the weights and all that is needed to use them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from tumorseg.digests import content_digest
from tumorseg.errors import UserError
from tumorseg.files import write_bytes
from tumorseg.network.unet import Architecture, UNet, build

METADATA_KEY = "tumorseg"  # one key: safetensors writes several in a random order
FORMAT = 2


@dataclass(frozen=True)
class ModelCard:
    """What a model's weights are: how to rebuild the network, how to prepare its input, and which checkpoint it was.

    convention: how the masks it was trained on write enhancing tumour, `brats2021` or `brats2023`; `mixed`, or None
    where none shows any. checkpoint: SHA-256 of the one that the weights were taken from.
    """

    architecture: Architecture
    normalisation: dict[str, Any]
    convention: str | None
    fold: int
    epoch: int
    checkpoint: str


def write_model(path: Path, network: UNet, card: ModelCard) -> None:
    """Write a network's weights and its card with a digest of both, whole or not at all. Equal models, equal bytes."""
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    text = json.dumps(asdict(card), sort_keys=True)
    header = {"format": FORMAT, "digest": _digest(weights, text), "card": text}
    write_bytes(path, save(weights, metadata={METADATA_KEY: json.dumps(header, sort_keys=True)}))


def read_model(path: Path) -> tuple[UNet, ModelCard]:
    """The network (on the CPU, in evaluation mode) and its card. Raises UserError if the file is no sound model."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()[METADATA_KEY])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        if header["digest"] != _digest(weights, header["card"]):
            raise ValueError("its content is not what was written")
        content = json.loads(header["card"])
        card = ModelCard(**{**content, "architecture": Architecture(**content["architecture"])})
        network = build(card.architecture)
        network.load_state_dict(weights)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"{path}: not a sound model ({error}); copy it again, or, where this workflow made it, delete it and "
            "run again"
        ) from None
    return network.eval(), card


def _digest(weights: dict[str, Tensor], card: str) -> str:
    return content_digest({name: tensor.numpy() for name, tensor in weights.items()}, card)
