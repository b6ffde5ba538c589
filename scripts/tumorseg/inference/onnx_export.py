"""Export a trained network to ONNX, for programs without PyTorch and this library."""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from tumorseg.inference.whole_volume import fuse_batchnorm
from tumorseg.io.files import write_bytes
from tumorseg.networks.base import Network
from tumorseg.networks.model import ModelCard
from tumorseg.networks.model_header import METADATA_KEY
from tumorseg.orientation import NETWORK_AXES

_VOLATILE_FIELDS: Final = ("metadata_props", "doc_string")
"""Fields in which the exporter stores names that change with each export, and paths of the machine."""


class _Probabilities(nn.Module):
    """Computes the probabilities (1, classes, X, Y, Z) of an image (1, channels, X, Y, Z), as `Predictor` does."""

    def __init__(self, network: Network, unused_classes: Sequence[int]) -> None:
        super().__init__()
        self.network = fuse_batchnorm(network)
        self.runs = [
            (used, len(list(classes)))
            for used, classes in groupby(range(network.architecture.classes), lambda index: index not in unused_classes)
        ]
        self.kept = [index for index in range(network.architecture.classes) if index not in unused_classes]

    def forward(self, image: Tensor) -> Tensor:
        # Concatenated zeros instead of logits of minus infinity: a runtime that approximates the exponential may not
        # return exactly 0 for these.
        kept = self.network(image)[:, self.kept].softmax(dim=1)
        parts = iter(kept.split([length for used, length in self.runs if used], dim=1))
        pieces: list[Tensor] = []
        for used, length in self.runs:
            pieces += [next(parts)] if used else [torch.zeros_like(kept[:, :1])] * length
        return torch.cat(pieces, dim=1)


def write_onnx(path: Path, network: Network, card: ModelCard) -> None:
    """Write a network with fused batch norms as an ONNX file, atomically. Equal models give equal bytes.

    The input `image` is normalised, float32 (1, channels, X, Y, Z), where X, Y and Z are multiples of the network's
    divisor. The output `probabilities` is float32 (1, classes, X, Y, Z). It is exactly 0 for classes without a label,
    so the argmax over axis 1 is the mask of labels. The metadata has one key, `METADATA_KEY`. Its value is a JSON text
    with the model card and all that is needed to prepare an input.

    Args:
        path: file to write.
        network: not changed.
        card: card of the model.
    """
    divisor = network.divisor
    program: Any = torch.onnx.export(
        _Probabilities(network, card.task.unused_classes).eval(),
        (torch.zeros(1, network.architecture.channels, 2 * divisor, 3 * divisor, 4 * divisor),),
        input_names=["image"],
        output_names=["probabilities"],
        dynamic_shapes={"image": {axis: divisor * Dim(name) for axis, name in enumerate("xyz", start=2)}},
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    model.producer_version = torch.__version__.partition("+")[0]  # without the GPU variant, which does not matter here
    _clear_volatile_fields(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(_metadata(card, divisor), sort_keys=True)})
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString(deterministic=True))


def _metadata(card: ModelCard, divisor: int) -> dict[str, Any]:
    return {
        **card.to_json(),
        "warning": card.notice.text if card.notice else "",
        "channels": card.task.channel_names,
        "orientation": NETWORK_AXES,
        "labels": {0: "background", **card.task.label_titles},
        "regions": card.task.region_labels,
        "divisor": divisor,
    }


def _clear_volatile_fields(message: Any) -> None:
    """Clear `_VOLATILE_FIELDS` in a protobuf message and in all messages inside it."""
    for field, value in message.ListFields():
        if field.name in _VOLATILE_FIELDS:
            message.ClearField(field.name)
        elif field.message_type:
            for part in value if field.is_repeated else [value]:
                _clear_volatile_fields(part)
