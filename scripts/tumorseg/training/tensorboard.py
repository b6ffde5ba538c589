"""Writes the progress of a training for TensorBoard while it runs."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar

from tumorseg.cli.console import logger

FOR_PEOPLE_ONLY: Final = "Writes what TensorBoard shows while a training runs; its files are no results."
"""See `tumorseg.codedigest.known`."""


class TensorBoardWriter:
    """Event files in `folder`. first_step: of this job; what an interrupted one wrote from there on is not shown.

    Where they cannot be written, for instance on a full disk, that is told once and the training goes on without.
    (Hence not tensorboardX's SummaryWriter: its thread would die of that, and the training wait for it for ever.)
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._folder = folder
        self._writer: EventsWriter | None = None
        with self._or_without():
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventsWriter(str(folder / "events"))
            self._write(Event(step=first_step, session_log=SessionLog(status=SessionLog.START)))

    def step(self, step: int, loss: float, learning_rate: float) -> None:
        """A step of the training, counted from its beginning."""
        self._scalars({"step/loss": loss, "step/learning_rate": learning_rate}, step)

    def epoch(self, history: Mapping[str, float], step: int) -> None:
        """An epoch's row of the history, which ended with `step`."""
        self._scalars({f"epoch/{name}": value for name, value in history.items()}, step)

    def close(self) -> None:
        """Let go of the file, in which everything stands."""
        with self._or_without():
            if self._writer is not None:
                self._writer.close()

    def _scalars(self, values: Mapping[str, float], step: int) -> None:
        with self._or_without():
            for name, value in values.items():
                self._write(Event(step=step, summary=scalar(name, value)))

    def _write(self, event: Event) -> None:
        if self._writer is not None:
            event.wall_time = time.time()
            self._writer.write_event(event)
            self._writer.flush()

    @contextmanager
    def _or_without(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            writer, self._writer = self._writer, None
            logger.warning(
                "%s: events for TensorBoard cannot be written (%s); the training goes on without them",
                self._folder,
                error.strerror,
            )
            if writer is not None:
                with suppress(OSError):
                    writer.close()
