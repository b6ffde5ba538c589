"""Show that a job is at work if nothing has been printed for a while."""

import threading
import time
from collections.abc import Callable
from typing import Final

FOR_PEOPLE_ONLY: Final = "Prints that a job is still at work; no result holds any of it."
"""See `tumorseg.codedigest.special_names`."""
_GRACE_S: Final = 1.0


class Heartbeat:
    """Calls a function from its own thread after a silence, and again at growing intervals.

    Args:
        show: called with the seconds since the start.
        first_s: silence before the first call, in seconds. Each call doubles it, up to `longest_s`.
        longest_s: longest silence, in seconds.
        silent_since: start of the silence, from `time.monotonic`, if it began earlier. The first call still waits for
            `_GRACE_S`, since a job often prints its first line soon after its start.
    """

    def __init__(
        self,
        show: Callable[[float], None],
        first_s: float = 3,
        longest_s: float = 30,
        *,
        silent_since: float | None = None,
    ) -> None:
        self._show, self._patience, self._longest = show, first_s, longest_s
        now = time.monotonic()
        self._began = now if silent_since is None else silent_since
        self._last = max(self._began, now + min(_GRACE_S - first_s, 0))
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def reset(self) -> None:
        """Begin a new silence, since something was printed."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(max(0.01, self._last + self._patience - time.monotonic())):
            now = time.monotonic()
            if now - self._last >= self._patience:
                self._last, self._patience = now, min(2 * self._patience, self._longest)
                self._show(now - self._began)


def clock(seconds: float) -> str:
    """Return a duration as `minutes:seconds`, or as `hours:minutes:seconds` from one hour on."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
