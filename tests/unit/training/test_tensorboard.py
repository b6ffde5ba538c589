import resource
import struct
from contextlib import contextmanager
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog

from tumorseg.cli.console import logger
from tumorseg.training.tensorboard import TensorBoardWriter


@contextmanager
def disk_with(size: int):
    """Let no file grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def warnings(monkeypatch):
    logged = []
    monkeypatch.setattr(logger, "warning", lambda message, *values: logged.append(message % values))
    return logged


def read_events(folder: Path) -> list[Event]:
    """Return the events of the only file; a record is: length, its checksum, event, its checksum."""
    (path,) = folder.iterdir()
    content, events = path.read_bytes(), []
    while content:
        (length,) = struct.unpack_from("<Q", content)
        events.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return events


def test_every_event_is_written_at_once(tmp_path):
    events = TensorBoardWriter(tmp_path, first_step=5)
    events.step(5, loss=0.5, learning_rate=0.25)
    events.epoch({"dice_WT": 0.75}, 5)
    version, start, *scalars = read_events(tmp_path)
    assert version.file_version == "brain.Event:2"
    assert (start.step, start.session_log.status) == (5, SessionLog.START)  # hides earlier events from step 5 on
    values = [(event.step, value.tag, value.simple_value) for event in scalars for value in event.summary.value]
    assert values == [(5, "step/loss", 0.5), (5, "step/learning_rate", 0.25), (5, "epoch/dice_WT", 0.75)]
    events.close()
    assert all(event.wall_time > 1e9 for event in read_events(tmp_path))


def test_a_full_disk_is_one_warning_and_no_error(tmp_path, warnings):
    with disk_with(200):
        events = TensorBoardWriter(tmp_path / "events", first_step=1)
        for step in range(1, 30):
            events.step(step, loss=0.5, learning_rate=0.25)
        events.close()
    assert len(warnings) == 1
    assert f"{tmp_path / 'events'}: cannot write events for TensorBoard (File too large)" in warnings[0]


def test_a_folder_that_cannot_be_made_is_one_warning_and_no_error(tmp_path, warnings):
    (tmp_path / "events").touch()
    events = TensorBoardWriter(tmp_path / "events", first_step=1)
    events.step(1, loss=0.5, learning_rate=0.25)
    events.close()
    assert len(warnings) == 1
