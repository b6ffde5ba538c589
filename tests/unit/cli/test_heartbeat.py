import threading
import time

from tumorseg.cli import heartbeat as module
from tumorseg.cli.heartbeat import Heartbeat, clock


def test_a_long_silence_is_broken_repeatedly():
    calls, twice = [], threading.Event()

    def show(seconds: float) -> None:
        calls.append(seconds)
        if len(calls) == 2:
            twice.set()

    heartbeat = Heartbeat(show, first_s=0.02, longest_s=0.02)
    assert twice.wait(10)
    heartbeat.stop()
    assert 0.02 <= calls[0] < calls[1]


def test_a_silence_that_began_earlier_is_broken_soon(monkeypatch):
    monkeypatch.setattr(module, "_GRACE_S", 0.02)
    calls, shown = [], threading.Event()

    def show(seconds: float) -> None:
        calls.append(seconds)
        shown.set()

    heartbeat = Heartbeat(show, first_s=60, silent_since=time.monotonic() - 100)
    assert shown.wait(10)
    heartbeat.stop()
    assert calls[0] >= 100


def test_a_stopped_heartbeat_shows_nothing():
    calls = []
    heartbeat = Heartbeat(calls.append, first_s=60)
    heartbeat.reset()
    heartbeat.stop()
    assert calls == []


def test_a_duration_is_formatted_as_a_clock():
    assert [clock(seconds) for seconds in (0.4, 65, 3661)] == ["0:00", "1:05", "1:01:01"]
