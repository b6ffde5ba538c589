"""The device and the precision in which a network runs, and the GPUs that a process reserves.

Snakemake limits how many jobs run at a time in one folder, but does not assign GPUs to them. Each process therefore
reserves its GPUs, so that no two jobs of a user share one.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor

from tumorseg.cli.console import CORES, ONCE, logger
from tumorseg.errors import UserError
from tumorseg.formatting import format_count

_POLL_S: Final = 1.0
_SCHEDULER_VARIABLES: Final = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
"""How schedulers name what they have given to a job, in which they may number its GPUs from 0."""
_reserved_sockets: Final[list[socket.socket]] = []
"""For as long as this process lives."""


def reserve_gpus(count: int) -> None:
    """Leave in sight of this process, and of those it starts, as many GPUs as wanted that no other job has taken.

    All that are there where they are fewer. Waits until they are free, and says so. To be called before CUDA starts.
    The GPUs are this process's until it ends, however it ends; a second call changes nothing.
    """
    if _reserved_sockets:
        return
    visible = visible_gpus()
    count = min(count, len(visible))
    # torchrun numbers the GPUs of the processes that it starts.
    if count == 0 or "WORLD_SIZE" in os.environ:
        return
    taken = _reserve(visible, count)
    if not taken:
        logger.warning("waiting for %d of the GPUs %s: other jobs of yours have them", count, ", ".join(visible))
    while not taken:
        time.sleep(_POLL_S)
        taken = _reserve(visible, count)
    _reserved_sockets.extend(taken.values())
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them, or else by number."""
    count = torch.cuda.device_count()  # asks the driver's library, and starts no CUDA
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(index) for index in range(count)]
    return [name.strip() for name in named.split(",")][:count]


def _reserve(gpus: Sequence[str], count: int) -> dict[str, socket.socket]:
    """The first GPUs, as many as wanted, that nobody has taken; from now on they are. None where there are fewer."""
    taken: dict[str, socket.socket] = {}
    for gpu in gpus:
        if len(taken) < count and (token := _gpu_socket(gpu)):
            taken[gpu] = token
    if len(taken) == count:
        return taken
    for token in taken.values():
        token.close()
    return {}


def _gpu_socket(gpu: str) -> socket.socket | None:
    """What only one process of a user on a machine can have; None where another has it.

    An address without a file (unix(7), abstract), of which Linux lets go when its owner dies: nothing is left behind.
    """
    allocation = next((os.environ[name] for name in _SCHEDULER_VARIABLES if name in os.environ), "none")
    token = socket.socket(socket.AF_UNIX)
    try:
        token.bind(f"\0tumorseg of user {os.getuid()}, allocation {allocation}: GPU {gpu}")
    except OSError:
        token.close()
        return None
    return token


DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass(frozen=True)
class Execution:
    """device: where tensors live. dtype: in what autocast computes; float32 means without autocast."""

    device: torch.device
    dtype: torch.dtype

    @property
    def name(self) -> str:
        """Kind of device and precision, such as `cuda fp16`: with another one a training has other bits."""
        precision = next(name for name, dtype in DTYPES.items() if dtype == self.dtype)
        return f"{self.device.type} {precision}"

    def autocast(self) -> torch.autocast:
        """The context in which the network is called."""
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32)

    def place(self, images: Tensor) -> Tensor:
        """Images (B, C, X, Y, Z) on the device, as float32 in the network's memory format."""
        return images.to(self.device, torch.float32, non_blocking=True, memory_format=torch.channels_last_3d)


def resolve_execution(
    device: Literal["auto", "cpu", "cuda"],
    precision: Literal["fp16", "bf16", "fp32"],
    threads: int,
    deterministic: bool = False,
) -> Execution:
    """Settle device and precision on this machine, set torch's number of CPU threads and the algorithms it may use.

    Of several GPUs one is taken, which no other job of this user on this machine gets until this process ends.

    fp16 on a CPU becomes fp32. That, and more threads than CPU cores, is logged: on the terminal once in a run, since
    there can be a job for each patient. deterministic: torch refuses operations that may give other bits in
    another run (those of a CPU never do). Raises UserError when a GPU is asked for and there is none.
    """
    # The number of threads decides in what order sums are taken, hence the last bits of every result.
    torch.set_num_threads(threads)
    # Read by cuBLAS when CUDA starts; without it, results may differ (its manual, "Results reproducibility").
    if deterministic:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(deterministic)  # of cuDNN as well
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # takes time, guards nothing here
    if device != "cpu":
        reserve_gpus(1)
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise UserError(
            "training.device is cuda, but torch sees no GPU on this machine: run on one that has a GPU, "
            "or set training.device to auto or cpu"
        )
    chosen = torch.device("cuda" if available and device != "cpu" else "cpu")
    if chosen.type == "cpu" and precision == "fp16":
        logger.info("training.precision is fp16, in which only GPUs compute: fp32 is used", extra=ONCE)
        precision = "fp32"
    where = (
        f"the CPU with {format_count(threads, 'thread')}"
        if chosen.type == "cpu"
        else torch.cuda.get_device_name(chosen)
    )
    logger.info("computing in %s on %s", precision, where, extra={**ONCE, "computed_in": f"{precision} on {where}"})
    if chosen.type == "cpu" and threads > (cores := _available_cores()):
        logger.info(
            "training.threads is %d, and this run has %s: this takes longer than with fewer threads. They stay, since "
            "their number decides the last digits of the results",
            threads,
            format_count(cores, "CPU core"),
            extra=ONCE,
        )
    return Execution(chosen, DTYPES[precision])


def _available_cores() -> int:
    """CPU cores that this process may use, by the machine and by the run's `--cores`."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, int(os.environ.get(CORES, allowed)))
