"""End processes together with the workflow: after a killed run, none keeps writing files or holds a GPU."""

import ctypes
import multiprocessing
import os
import select
import signal
import time
from threading import Thread
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""The option of prctl(2) for a signal at the end of the parent."""
_GRACE_S: Final = 10.0
"""Seconds that a process has to clean up before it is killed."""


def exit_with_process(process: int) -> None:
    """End this process by SIGTERM when another process ends (Linux only).

    From now on SIGTERM has the effect of Ctrl-C. Watching the parent is not enough: it is a shell, and outlives a
    killed Snakemake. SIGINT does not work either, since processes in the background ignore it.

    Args:
        process: id of the process to watch.

    Raises:
        KeyboardInterrupt: the process has already ended.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        raise KeyboardInterrupt(f"the workflow, process {process}, has ended") from None
    except (AttributeError, OSError):  # not Linux, or an old one
        return
    Thread(target=_exit_after, args=(descriptor,), daemon=True).start()


def _exit_after(descriptor: int) -> None:
    select.select([descriptor], [], [])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def exit_with_parent() -> None:
    """Let Linux kill this process when its parent ends for any reason.

    Raises:
        SystemExit: this is a worker of `multiprocessing` and its parent has already ended.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)


def initialise_worker() -> None:
    """Prepare a worker of a pool: it ignores Ctrl-C, ends at SIGTERM, and does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    exit_with_parent()
