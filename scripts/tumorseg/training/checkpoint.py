"""The training state and its checkpoints.

A checkpoint is one file with the whole state. The record beside it holds the digest for verifying the file.
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tumorseg.errors import Message
from tumorseg.io.digests import sha256
from tumorseg.io.files import write_bytes, write_json
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build
from tumorseg.preprocessing.fold_data import FoldData
from tumorseg.training import distributed
from tumorseg.training.batches import random_generator
from tumorseg.training.distributed import with_sync_batch_norm
from tumorseg.training.recipe import Recipe
from tumorseg.training.start_model import StartModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def ema_model(network: Network, decay: float) -> AveragedModel:
    """Return an exponential moving average of a network's weights and batch-norm statistics.

    In the first steps the decay is lower: (1 + n) / (10 + n) after n steps, as in TensorFlow's
    ExponentialMovingAverage. The average thus forgets the random initial weights quickly.

    Args:
        network: the network to average.
        decay: share of the old average that each step keeps, from 0 to 1.
    """

    def update(averages: Tensors, weights: Tensors, steps: Tensor | int) -> None:
        done = int(steps)
        get_ema_multi_avg_fn(min(decay, (1 + done) / (10 + done)))(averages, weights, steps)  # type: ignore[no-untyped-call]

    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)


@dataclass
class TrainingState:
    """Everything that changes during training.

    Attributes:
        recipe: the configuration of the training.
        fold: the fold whose cases are held out.
        network: the network being trained.
        optimizer: Adam with its moments; AdamW if weights decay.
        scaler: gradient scaler, enabled for fp16.
        ema: moving average of weights and batch-norm statistics, if configured.
        execution: device, precision and number of processes, such as "cuda fp16".
        earlier_signatures: the training cases of the model that the training started from, see
            `TrainingFacts.case_signatures`.
        epoch: finished epochs.
        history: one dictionary per finished epoch (losses, Dice, learning rate).
    """

    recipe: Recipe
    fold: int
    network: Network
    optimizer: torch.optim.Adam
    scaler: torch.amp.GradScaler
    ema: AveragedModel | None
    execution: str
    earlier_signatures: tuple[str, ...] = ()
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def initial(cls, recipe: Recipe, fold: int, execution: Execution) -> "TrainingState":
        """Return the state before the first step; initial weights depend on seed and fold only.

        Args:
            recipe: the configuration of the training.
            fold: the fold whose cases are held out.
            execution: device and precision.
        """
        # Weights are drawn on the CPU, so that every device starts with the same weights.
        torch.manual_seed(int(random_generator("weights", recipe.training.seed, fold).integers(2**63)))
        network = with_sync_batch_norm(build(recipe.architecture), execution.device)
        network.gradient_checkpointing = recipe.training.gradient_checkpointing
        decay = recipe.training.weight_decay
        optimizer = torch.optim.Adam(
            network.parameters(),
            lr=recipe.training.learning_rate,
            weight_decay=decay,
            decoupled_weight_decay=decay > 0,  # AdamW
        )
        # Gradients of fp16 vanish without scaling; other precisions have float32's range of exponents.
        scaler = torch.amp.GradScaler(execution.device.type, enabled=execution.dtype == torch.float16)
        ema_decay = recipe.training.ema_decay
        average = None if ema_decay is None else ema_model(network, ema_decay)
        name: Message = (
            execution.name
            if distributed.world_size() == 1
            else f"{execution.name} in {distributed.world_size()} processes"
        )
        return cls(recipe, fold, network, optimizer, scaler, average, name)

    @property
    def eval_network(self) -> Network:
        """The network to validate and export: the moving average if configured, else the network itself."""
        if self.ema is None:
            return self.network
        return cast(Network, self.ema.module)

    def state_dict(self) -> dict[str, Any]:
        """Return the state as tensors and plain Python types."""
        return {
            "recipe": self.recipe.as_dict(),
            "fold": self.fold,
            "execution": self.execution,
            "epoch": self.epoch,
            "history": self.history,
            "weights": self.network.state_dict(),
            "average": None if self.ema is None else self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            **({"earlier_signatures": list(self.earlier_signatures)} if self.earlier_signatures else {}),
        }

    def start_from(self, model: StartModel) -> None:
        """Replace the initial weights by those of a model with the same network."""
        self.network.load_state_dict(model.weights)
        if self.ema is not None:
            self.ema.module.load_state_dict(model.weights)
        self.earlier_signatures = model.case_signatures

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Restore weights, moving average, optimizer, scaler, epoch and history from a `state_dict`."""
        self.network.load_state_dict(content["weights"])
        if self.ema is not None:
            self.ema.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.scaler.load_state_dict(content["scaler"])
        self.earlier_signatures = tuple(content.get("earlier_signatures", ()))
        self.epoch, self.history = content["epoch"], list(content["history"])


FORMAT = 4


def save_checkpoint(
    path: Path, state: TrainingState, data: FoldData, epochs: Sequence[dict[str, Any]], seconds: float
) -> None:
    """Write a checkpoint, and its record as a `.json` file beside it.

    Equal states give equal bytes: a checkpoint holds no time, path or machine name. It loads with `weights_only=True`.

    Args:
        path: the checkpoint.
        state: the training state to save.
        data: the cases of the fold; the checkpoint is valid for these data and the recipe's task only.
        epochs: history of the epochs that this job has trained; kept in the record.
        seconds: time that this job has taken; kept in the record.
    """
    buffer = io.BytesIO()  # given a path, torch would write its name into the archive
    task = {"name": state.recipe.task.name, "facts": state.recipe.task.facts()}
    content = {
        "format": FORMAT,
        "torch": str(torch.__version__),
        "task": task,
        "data": data.as_dict(),
        **state.state_dict(),
    }
    torch.save(_canonical(content), buffer)
    write_bytes(path, buffer.getvalue())
    record = {
        "format": FORMAT,
        "fold": state.fold,
        "epoch": state.epoch,
        "digest": sha256(path),
        "probe": probe(state.eval_network),
        "epochs": list(epochs),
        "seconds": round(seconds, 3),
    }
    write_json(checkpoint_record_path(path), record)


def checkpoint_record_path(checkpoint: Path) -> Path:
    """Return the path of a checkpoint's record."""
    return checkpoint.with_suffix(".json")


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint, with tensors on the CPU. Loading runs no code from the file.

    Raises:
        UnpicklingError: the file has Python objects other than tensors and plain types.
    """
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def probe(network: Network) -> list[float]:
    """Return the mean of each class's logits for a fixed input, then their standard deviations.

    Computed on the CPU in float32, so that every machine can reproduce the values.
    """
    copy = build(network.architecture)
    copy.load_state_dict({name: tensor.cpu() for name, tensor in network.state_dict().items()})
    channels, side = network.architecture.channels, 2 * network.divisor
    image = torch.linspace(-3, 3, channels * side**3).sin()
    with torch.inference_mode():
        logits = copy.eval()(image.reshape(1, channels, side, side, side))[0].flatten(1)
    return [round(value, 6) for value in torch.cat([logits.mean(1), logits.std(1)]).tolist()]


def _canonical(content: Any) -> Any:
    """Return a copy of nested content whose pickle has equal bytes for equal content.

    Equal strings become one object, and each tensor gets a storage of its own.
    """
    if isinstance(content, torch.Tensor):
        return content.detach().cpu().clone()
    if isinstance(content, str):
        return sys.intern(content)
    if isinstance(content, dict):
        return {_canonical(key): _canonical(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(map(_canonical, content))
    return content
