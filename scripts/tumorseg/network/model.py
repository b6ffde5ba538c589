"""A trained model on disk: one safetensors file with the weights and all that is needed to use them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from tumorseg.errors import UserError
from tumorseg.files import write_bytes
from tumorseg.network.unet import Architecture, UNet, build

METADATA_KEY = "tumorseg"  # one key: safetensors writes several in a random order
FORMAT = 1


@dataclass(frozen=True)
class ModelCard:
    """What a model's weights are: how to rebuild the network, how to prepare its input, and which checkpoint it was."""

    architecture: Architecture
    normalisation: dict[str, Any]
    fold: int
    epoch: int
    checkpoint: str
    """SHA-256 of the checkpoint that the weights were taken from."""


def write_model(path: Path, network: UNet, card: ModelCard) -> None:
    """Write a network's weights with its card, whole or not at all. Equal models give equal bytes."""
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    header = json.dumps({"format": FORMAT, **asdict(card)}, sort_keys=True)
    write_bytes(path, save(weights, metadata={METADATA_KEY: header}))


def read_model(path: Path) -> tuple[UNet, ModelCard]:
    """The network (on the CPU, in evaluation mode) and its card. Raises UserError if the file is no sound model."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()[METADATA_KEY])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        del header["format"]
        card = ModelCard(**{**header, "architecture": Architecture(**header["architecture"])})
        network = build(card.architecture)
        network.load_state_dict(weights)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: not a sound model ({error}); delete it and run the workflow again") from None
    return network.eval(), card
