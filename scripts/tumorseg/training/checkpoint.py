"""Checkpoints: the whole state of a training in one file, with a record beside it that proves it sound."""

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tumorseg.files import sha256, write_bytes, write_json
from tumorseg.network.protocol import Network
from tumorseg.network.registry import build
from tumorseg.normalise.fold_data import FoldData
from tumorseg.training.state import TrainingState

FORMAT = 3


def save(path: Path, state: TrainingState, data: FoldData, trained: Sequence[dict[str, Any]], seconds: float) -> None:
    """Write the state to `path` and its record (digest, probe, what the job has `trained`) to the `.json` beside it.

    data: what it was trained on. The checkpoint is bound to that, and to the recipe's task.

    Equal states give equal bytes: a checkpoint holds no time, path or machine name. It loads with `weights_only=True`.
    """
    buffer = io.BytesIO()  # not a path: torch writes a file's name into the archive
    task = {"name": state.recipe.task.name, "facts": state.recipe.task.facts()}
    content = {
        "format": FORMAT,
        "torch": str(torch.__version__),
        "task": task,
        "data": data.as_dict(),
        **state.content(),
    }
    torch.save(_canonical(content), buffer)
    write_bytes(path, buffer.getvalue())
    record = {
        "format": FORMAT,
        "fold": state.fold,
        "epoch": state.epoch,
        "digest": sha256(path),
        "probe": probe(state.answering),
        "epochs": list(trained),
        "seconds": round(seconds, 3),
    }
    write_json(record_path(path), record)


def record_path(checkpoint: Path) -> Path:
    """Where the record of a checkpoint lies."""
    return checkpoint.with_suffix(".json")


def load(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU. Raises UnpicklingError, and runs nothing, at foreign objects."""
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def probe(network: Network) -> list[float]:
    """The network's answer to a fixed input: mean and standard deviation of each class's logits, two numbers a class.

    Computed on the CPU in float32, so that every machine can repeat it.
    """
    copy = build(network.architecture)
    copy.load_state_dict({name: tensor.cpu() for name, tensor in network.state_dict().items()})
    channels, side = network.architecture.channels, 2 * network.divisor
    image = torch.linspace(-3, 3, channels * side**3).sin()
    with torch.inference_mode():
        logits = copy.eval()(image.reshape(1, channels, side, side, side))[0].flatten(1)
    return [round(value, 6) for value in torch.cat([logits.mean(1), logits.std(1)]).tolist()]


def _canonical(content: Any) -> Any:
    """Equal content in one form: pickle writes a string once for each object of it, a tensor with its storage."""
    if isinstance(content, torch.Tensor):
        return content.detach().cpu().clone()
    if isinstance(content, str):
        return sys.intern(content)
    if isinstance(content, dict):
        return {_canonical(key): _canonical(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(map(_canonical, content))
    return content
