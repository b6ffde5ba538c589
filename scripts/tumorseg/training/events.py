"""The course of a training as TensorBoard shows it, while it runs."""

from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter


class Events:
    """Event files in `folder`. first_step: of this job; what an interrupted one wrote from there on is not shown."""

    def __init__(self, folder: Path, first_step: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=first_step)

    def step(self, step: int, loss: float, learning_rate: float) -> None:
        """A step of the training, counted from its beginning."""
        self._writer.add_scalar("step/loss", loss, step)
        self._writer.add_scalar("step/learning_rate", learning_rate, step)

    def epoch(self, history: Mapping[str, float], step: int) -> None:
        """An epoch's row of the history, which ended with `step`."""
        for name, value in history.items():
            self._writer.add_scalar(f"epoch/{name}", value, step)

    def close(self) -> None:
        """Write what is not on disk yet."""
        self._writer.close()
