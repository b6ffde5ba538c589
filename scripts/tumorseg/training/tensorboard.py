"""Event files for TensorBoard, written during training."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar

from tumorseg.cli.console import logger

FOR_PEOPLE_ONLY: Final = "Writes what TensorBoard shows while a training runs; results do not depend on it."
"""See `tumorseg.codedigest.special_names`."""


class TensorBoardWriter:
    """Writes event files for TensorBoard.

    If they cannot be written, for instance on a full disk, this class logs one warning, and the training goes on.
    tensorboardX's SummaryWriter is not used: its thread would die, and the training would wait for it forever.

    Args:
        folder: folder of the event files.
        first_step: first step of this job. From this step on, TensorBoard hides the events of an interrupted job.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._folder = folder
        self._writer: EventsWriter | None = None
        with self._warn_if_unwritable():
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventsWriter(str(folder / "events"))
            self._write(Event(step=first_step, session_log=SessionLog(status=SessionLog.START)))

    def step(self, step: int, loss: float, learning_rate: float) -> None:
        """Write the loss and the learning rate of a step.

        Args:
            step: number of the step, from the start of the training.
            loss: loss of the step.
            learning_rate: learning rate of the step.
        """
        self._scalars({"step/loss": loss, "step/learning_rate": learning_rate}, step)

    def epoch(self, history: Mapping[str, float], step: int) -> None:
        """Write an epoch's row of the history; `step` is the last step of the epoch."""
        self._scalars({f"epoch/{name}": value for name, value in history.items()}, step)

    def close(self) -> None:
        """Close the file. All events have already been flushed to it."""
        with self._warn_if_unwritable():
            if self._writer is not None:
                self._writer.close()

    def _scalars(self, values: Mapping[str, float], step: int) -> None:
        with self._warn_if_unwritable():
            for name, value in values.items():
                self._write(Event(step=step, summary=scalar(name, value)))

    def _write(self, event: Event) -> None:
        if self._writer is not None:
            event.wall_time = time.time()
            self._writer.write_event(event)
            self._writer.flush()

    @contextmanager
    def _warn_if_unwritable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            writer, self._writer = self._writer, None
            logger.warning(
                "%s: cannot write events for TensorBoard (%s); training goes on without them",
                self._folder,
                error.strerror,
            )
            if writer is not None:
                with suppress(OSError):
                    writer.close()
