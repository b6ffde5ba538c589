"""The part of the configuration that the result of a training depends on."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final, Literal, Self

from tumorseg.networks.base import Architecture
from tumorseg.networks.devices import Precision
from tumorseg.task import Task
from tumorseg.training.patches import PatchSettings
from tumorseg.training.schedule import Schedule


@dataclass(frozen=True)
class TrainingSettings:
    """The `training` section of the configuration without `epochs` and `tensorboard`, which do not change results.

    Settings that were added later have a default, which checkpoints without them were trained with. `start_from` is the
    SHA-256 of the model; only the configuration has its path.
    """

    input_shape: tuple[int, int, int]
    batch_size: int
    steps_per_epoch: int | None
    epochs_per_checkpoint: int
    foreground_fraction: float
    augmentation: tuple[str, ...]
    learning_rate: float
    schedule: Schedule
    schedule_epochs: int
    gradient_clip: float | None
    ema_decay: float | None
    gradient_checkpointing: bool
    precision: Precision
    device: Literal["auto", "cpu", "cuda"]
    deterministic: bool
    threads: int
    seed: int
    start_from: str | None = None
    foreground_sampling: Literal["label", "voxel"] = "label"
    warmup_epochs: float = 0
    weight_decay: float = 0
    dice_structures: Literal["labels", "regions", "all"] = "labels"
    dice_absent: Literal["count", "ignore"] = "count"
    cross_entropy_weights: Mapping[str, float] | None = None
    channel_dropout: float = 0
    synthetic_fraction: float = 0
    synthetic_cases: int | None = 100

    @property
    def patches(self) -> PatchSettings:
        """Size and placement of the patches."""
        return PatchSettings(self.input_shape, self.foreground_fraction, self.foreground_sampling)

    @property
    def simulates(self) -> bool:
        """Whether a new case is simulated for each synthetic patch."""
        return self.synthetic_fraction > 0 and self.synthetic_cases is None


@dataclass(frozen=True)
class Recipe:
    """All settings of a training. The training continues only from a checkpoint with equal settings.

    Attributes:
        architecture: description of the network.
        training: the `training` section of the configuration.
        task: the task of the network.
    """

    architecture: Architecture
    training: TrainingSettings
    task: Task

    @classmethod
    def from_config(cls, settings: dict[str, Any], task: Task) -> Self:
        """Return the recipe for a task from two sections of the configuration, `{"model": …, "training": …}`."""
        lists = {key: tuple(settings["training"][key]) for key in ("input_shape", "augmentation")}
        training = {**settings["training"], **lists}
        model = {**settings["model"], "classes": task.classes, "channels": len(task.channels)}
        return cls(Architecture(**model), TrainingSettings(**training), task)

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe without its task, as plain JSON types."""
        content = {"architecture": asdict(self.architecture), "training": asdict(self.training)}
        for key in ("input_shape", "augmentation"):
            content["training"][key] = list(content["training"][key])
        return content


_DEFAULTS: Final = {each.name: each.default for each in fields(TrainingSettings) if each.default is not MISSING}


def with_defaults(recorded: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe as a checkpoint records it, with the defaults of settings that did not exist when it was written.

    Args:
        recorded: from `Recipe.as_dict`.
    """
    return {**recorded, "training": {**_DEFAULTS, **recorded["training"]}}
