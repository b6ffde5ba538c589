"""A trained network as an ONNX file, for programs that know neither torch nor this library."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from tumorseg.files import write_bytes
from tumorseg.inference.folding import folded
from tumorseg.labels import CLASSES, LABEL_NAMES, MODALITIES, REGIONS, UNUSED_CLASS
from tumorseg.network.model import ModelCard
from tumorseg.network.model_file import METADATA_KEY
from tumorseg.network.unet import DIVISOR, UNet
from tumorseg.orientation import NETWORK_AXES

_KEPT: Final = [label for label in range(CLASSES) if label != UNUSED_CLASS]
_NOISE: Final = ("metadata_props", "doc_string")
"""Where the exporter tells how it went about it: names of its own, other ones each time, and paths of this machine."""


class _Probabilities(nn.Module):
    """Probabilities (1, classes, X, Y, Z) of an image (1, 4, X, Y, Z), as `Predictor` takes them."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = folded(network)

    def forward(self, image: Tensor) -> Tensor:
        # Not a logit of minus infinity: runtimes that approximate the exponential need not make 0 of it.
        kept = self.network(image)[:, _KEPT].softmax(dim=1)
        below, above = kept.split([UNUSED_CLASS, CLASSES - 1 - UNUSED_CLASS], dim=1)
        return torch.cat([below, torch.zeros_like(above[:, :1]), above], dim=1)


def write_onnx(path: Path, network: UNet, card: ModelCard) -> None:
    """Write a network, folded for prediction, as an ONNX file, whole or not at all. Equal models, equal bytes.

    Input `image`: float32 (1, 4, X, Y, Z), normalised, where X, Y and Z are multiples of 8. Output `probabilities`:
    float32 (1, 5, X, Y, Z), exactly 0 for the class that no voxel has, so that the argmax over axis 1 is the mask of
    inside labels. The metadata has one key, `METADATA_KEY`: the card, and what else the preparation of an input
    needs, as JSON.
    """
    program: Any = torch.onnx.export(
        _Probabilities(network).eval(),
        (torch.zeros(1, len(MODALITIES), 2 * DIVISOR, 3 * DIVISOR, 4 * DIVISOR),),
        input_names=["image"],
        output_names=["probabilities"],
        dynamic_shapes={"image": {axis: DIVISOR * Dim(name) for axis, name in enumerate("xyz", start=2)}},
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    model.producer_version = torch.__version__.partition("+")[0]  # not for which kind of GPU torch was built
    _strip(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(_metadata(card), sort_keys=True)})
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString(deterministic=True))


def _metadata(card: ModelCard) -> dict[str, Any]:
    return {
        **asdict(card),
        "warning": card.mark,
        "modalities": MODALITIES,
        "orientation": NETWORK_AXES,
        "labels": {0: "background", **LABEL_NAMES},
        "regions": REGIONS,
        "divisor": DIVISOR,
    }


def _strip(message: Any) -> None:
    """Clear `_NOISE` in a protobuf message and in all that it holds."""
    for field, value in message.ListFields():
        if field.name in _NOISE:
            message.ClearField(field.name)
        elif field.message_type:
            for part in value if field.is_repeated else [value]:
                _strip(part)
