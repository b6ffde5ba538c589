"""The whole state of a training, and the two ways to come by one."""

from dataclasses import dataclass, field
from typing import Any

import torch

from tumorseg.network.execution import Execution
from tumorseg.network.unet import UNet, build
from tumorseg.training.randomness import generator
from tumorseg.training.settings import Recipe


@dataclass
class TrainingState:
    """All that changes during a training. execution: device and precision, such as "cuda fp16".

    history: one dictionary per finished epoch (losses, Dice, learning rate).
    """

    recipe: Recipe
    fold: int
    network: UNet
    optimizer: torch.optim.Adam
    scaler: torch.amp.GradScaler
    execution: str
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def initial(cls, recipe: Recipe, fold: int, execution: Execution) -> "TrainingState":
        """The state before the first step, with weights drawn from (seed, fold)."""
        # Weights are drawn on the CPU, so that every device starts from the same ones.
        torch.manual_seed(int(generator("weights", recipe.training.seed, fold).integers(2**63)))
        network = build(recipe.architecture).to(execution.device)
        network.gradient_checkpointing = recipe.training.gradient_checkpointing
        optimizer = torch.optim.Adam(network.parameters(), lr=recipe.training.learning_rate)
        # Gradients of fp16 vanish without scaling; other precisions have float32's range of exponents.
        scaler = torch.amp.GradScaler(execution.device.type, enabled=execution.dtype == torch.float16)
        return cls(recipe, fold, network, optimizer, scaler, execution.name)

    def content(self) -> dict[str, Any]:
        """The state as tensors and plain Python types."""
        return {
            "recipe": self.recipe.as_dict(),
            "fold": self.fold,
            "execution": self.execution,
            "epoch": self.epoch,
            "history": self.history,
            "weights": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Take over weights, optimizer, scaler, epoch and history from what `content` returned."""
        self.network.load_state_dict(content["weights"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.scaler.load_state_dict(content["scaler"])
        self.epoch, self.history = content["epoch"], list(content["history"])
