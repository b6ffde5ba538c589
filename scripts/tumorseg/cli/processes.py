"""End processes together with the workflow: after a killed run nothing keeps writing or holding a GPU."""

import ctypes
import multiprocessing
import os
import select
import signal
import time
from threading import Thread
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""Of prctl(2)."""
_GRACE_S: Final = 10.0
"""Seconds in which a process that has to end can tidy up."""


def exit_with_process(process: int) -> None:
    """End this process as soon as `process` is gone (Linux), by SIGTERM, which from now on is told as Ctrl-C is.

    Not with the parent alone: between Snakemake and a job stands a shell, which outlives a killed Snakemake. Nor by
    SIGINT, which what was started in the background ignores. Raises KeyboardInterrupt where `process` is gone already.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        raise KeyboardInterrupt(f"the workflow, process {process}, is gone") from None
    except (AttributeError, OSError):  # not Linux, or an old one
        return
    Thread(target=_exit_after, args=(descriptor,), daemon=True).start()


def _exit_after(descriptor: int) -> None:
    select.select([descriptor], [], [])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def exit_with_parent() -> None:
    """Let Linux kill this process as soon as its parent is gone, however that ended.

    Raises SystemExit in a worker of `multiprocessing` whose parent is gone already.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)


def initialise_worker() -> None:
    """What a worker of a pool begins with: it leaves Ctrl-C to its parent, ends when told, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    exit_with_parent()
