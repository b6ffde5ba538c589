"""Which GPUs a process takes, so that no two jobs of a user share one.

Snakemake counts the jobs that run at a time in one folder, and tells none of them which GPU is its own.
"""

import os
import socket
import time
from collections.abc import Sequence
from typing import Final

import torch

from tumorseg.console import logger

_POLL_S: Final = 1.0
_ALLOCATIONS: Final = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
"""How schedulers name what they have given to a job, in which they may number its GPUs from 0."""
_held: Final[list[socket.socket]] = []
"""For as long as this process lives."""


def take_gpus(wanted: int) -> None:
    """Leave in sight of this process, and of those it starts, as many GPUs as wanted that no other job has taken.

    All that are there where they are fewer. Waits until they are free, and says so. To be called before CUDA starts.
    The GPUs are this process's until it ends, however it ends; a second call changes nothing.
    """
    if _held:
        return
    visible = visible_gpus()
    wanted = min(wanted, len(visible))
    # torchrun numbers the GPUs of the processes that it starts.
    if wanted == 0 or "WORLD_SIZE" in os.environ:
        return
    taken = _free(visible, wanted)
    if not taken:
        logger.warning("waiting for %d of the GPUs %s: other jobs of yours have them", wanted, ", ".join(visible))
    while not taken:
        time.sleep(_POLL_S)
        taken = _free(visible, wanted)
    _held.extend(taken.values())
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them, or else by number."""
    count = torch.cuda.device_count()  # asks the driver's library, and starts no CUDA
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(index) for index in range(count)]
    return [name.strip() for name in named.split(",")][:count]


def _free(gpus: Sequence[str], wanted: int) -> dict[str, socket.socket]:
    """The first GPUs, as many as wanted, that nobody has taken; from now on they are. None where there are fewer."""
    taken: dict[str, socket.socket] = {}
    for gpu in gpus:
        if len(taken) < wanted and (token := _token(gpu)):
            taken[gpu] = token
    if len(taken) == wanted:
        return taken
    for token in taken.values():
        token.close()
    return {}


def _token(gpu: str) -> socket.socket | None:
    """What only one process of a user on a machine can have; None where another has it.

    An address without a file (unix(7), abstract), of which Linux lets go when its owner dies: nothing is left behind.
    """
    allocation = next((os.environ[name] for name in _ALLOCATIONS if name in os.environ), "none")
    token = socket.socket(socket.AF_UNIX)
    try:
        token.bind(f"\0tumorseg of user {os.getuid()}, allocation {allocation}: GPU {gpu}")
    except OSError:
        token.close()
        return None
    return token
