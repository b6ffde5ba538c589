"""How memory is handed out on a CPU."""

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
"""Parameters of mallopt(3) in the GNU C library."""


def keep_freed_memory() -> None:
    """Let the memory of one tensor serve the next, instead of going back to the system, which clears it each time.

    A training step takes two thirds of the time (measured, see the benchmarks), and holds up to one and a half times
    the memory at its peak. Changes no result. Does nothing where the C library is not GNU's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)
