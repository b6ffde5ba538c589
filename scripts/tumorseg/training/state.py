"""The whole state of a training, and the two ways to come by one."""

from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch.optim.swa_utils import AveragedModel

from tumorseg.errors import Message
from tumorseg.network.execution import Execution
from tumorseg.network.protocol import Network
from tumorseg.network.registry import build
from tumorseg.training import parallel
from tumorseg.training.averaging import averaged
from tumorseg.training.batch_norm import synchronised
from tumorseg.training.randomness import generator
from tumorseg.training.settings import Recipe


@dataclass
class TrainingState:
    """All that changes during a training.

    execution: device, precision and number of processes, such as "cuda fp16". average: of the weights and statistics
    over the steps, where that is configured. history: one dictionary per finished epoch (losses, Dice, learning rate).
    """

    recipe: Recipe
    fold: int
    network: Network
    optimizer: torch.optim.Adam
    scaler: torch.amp.GradScaler
    average: AveragedModel | None
    execution: str
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def initial(cls, recipe: Recipe, fold: int, execution: Execution) -> "TrainingState":
        """The state before the first step, with weights drawn from (seed, fold)."""
        # Weights are drawn on the CPU, so that every device starts from the same ones.
        torch.manual_seed(int(generator("weights", recipe.training.seed, fold).integers(2**63)))
        network = synchronised(build(recipe.architecture), execution.device)
        network.gradient_checkpointing = recipe.training.gradient_checkpointing
        optimizer = torch.optim.Adam(network.parameters(), lr=recipe.training.learning_rate)
        # Gradients of fp16 vanish without scaling; other precisions have float32's range of exponents.
        scaler = torch.amp.GradScaler(execution.device.type, enabled=execution.dtype == torch.float16)
        decay = recipe.training.weight_averaging
        average = None if decay is None else averaged(network, decay)
        name: Message = execution.name if parallel.count() == 1 else f"{execution.name} in {parallel.count()} processes"
        return cls(recipe, fold, network, optimizer, scaler, average, name)

    @property
    def answering(self) -> Network:
        """The network that is validated and exported: the average of it, where there is one."""
        if self.average is None:
            return self.network
        return cast(Network, self.average.module)

    def content(self) -> dict[str, Any]:
        """The state as tensors and plain Python types."""
        return {
            "recipe": self.recipe.as_dict(),
            "fold": self.fold,
            "execution": self.execution,
            "epoch": self.epoch,
            "history": self.history,
            "weights": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Take over weights, their average, optimizer, scaler, epoch and history from what `content` returned."""
        self.network.load_state_dict(content["weights"])
        if self.average is not None:
            self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.scaler.load_state_dict(content["scaler"])
        self.epoch, self.history = content["epoch"], list(content["history"])
