"""What a training is: the part of the configuration that its result depends on."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from tumorseg.network.unet import Architecture
from tumorseg.training.augmentation import Kind
from tumorseg.training.schedule import Schedule


@dataclass(frozen=True)
class TrainingSettings:
    """The `training` section of the configuration, without `epochs` and `tensorboard`, which change nothing in it."""

    input_shape: tuple[int, int, int]
    batch_size: int
    steps_per_epoch: int | None
    epochs_per_checkpoint: int
    foreground_fraction: float
    augmentation: tuple[Kind, ...]
    learning_rate: float
    schedule: Schedule
    schedule_epochs: int
    gradient_clip: float | None
    weight_averaging: float | None
    gradient_checkpointing: bool
    precision: Literal["fp16", "bf16", "fp32"]
    device: Literal["auto", "cpu", "cuda"]
    deterministic: bool
    threads: int
    seed: int


@dataclass(frozen=True)
class Recipe:
    """A training's identity: what a checkpoint is checked against before anything goes on from it."""

    architecture: Architecture
    training: TrainingSettings

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Self:
        """The recipe of `{"model": …, "training": …}`, two sections of the configuration."""
        lists = {key: tuple(settings["training"][key]) for key in ("input_shape", "augmentation")}
        training = {**settings["training"], **lists}
        return cls(Architecture(**settings["model"]), TrainingSettings(**training))

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON types."""
        content = asdict(self)
        for key in ("input_shape", "augmentation"):
            content["training"][key] = list(content["training"][key])
        return content
