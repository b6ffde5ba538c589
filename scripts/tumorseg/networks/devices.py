"""Device and precision of a network, and the reservation of GPUs.

Snakemake limits the number of simultaneous jobs but does not assign GPUs to them. Each process therefore reserves its
GPUs, so that no two jobs of a user share a GPU.
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
"""Variables with the id of a scheduler's allocation. GPUs may be numbered from 0 in each allocation."""
_reserved_sockets: Final[list[socket.socket]] = []
"""Sockets that mark this process's GPUs as reserved; open until the process ends."""


def reserve_gpus(count: int) -> None:
    """Reserve GPUs, and hide all others from this process and its child processes.

    Waits, with a warning, until enough GPUs are free. Must be called before CUDA is initialised. The GPUs stay reserved
    until the process ends, even if it is killed; a second call does nothing.

    Args:
        count: number of GPUs; if the machine has fewer, all of them are reserved.
    """
    if _reserved_sockets:
        return
    visible = visible_gpus()
    count = min(count, len(visible))
    # Under torchrun, LOCAL_RANK numbers the GPUs that the launcher has reserved.
    if count == 0 or "WORLD_SIZE" in os.environ:
        return
    reserved = _reserve(visible, count)
    if not reserved:
        logger.warning("waiting for %d of the GPUs %s: your other jobs use them", count, ", ".join(visible))
    while not reserved:
        time.sleep(_POLL_S)
        reserved = _reserve(visible, count)
    _reserved_sockets.extend(reserved.values())
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(reserved)


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use: their names in CUDA_VISIBLE_DEVICES, or their numbers."""
    count = torch.cuda.device_count()  # queries the driver without initialising CUDA
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(index) for index in range(count)]
    return [name.strip() for name in named.split(",")][:count]


def _reserve(gpus: Sequence[str], count: int) -> dict[str, socket.socket]:
    """Reserve the first `count` free GPUs; reserve none and return an empty dictionary if fewer are free."""
    reserved: dict[str, socket.socket] = {}
    for gpu in gpus:
        if len(reserved) < count and (lock := _gpu_socket(gpu)):
            reserved[gpu] = lock
    if len(reserved) == count:
        return reserved
    for lock in reserved.values():
        lock.close()
    return {}


def _gpu_socket(gpu: str) -> socket.socket | None:
    """Return a socket that only one process of a user on a machine can bind; None if another process has it.

    An abstract address (unix(7)) has no file, and Linux frees it when its owner dies.
    """
    allocation = next((os.environ[name] for name in _SCHEDULER_VARIABLES if name in os.environ), "none")
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0tumorseg of user {os.getuid()}, allocation {allocation}: GPU {gpu}")
    except OSError:
        lock.close()
        return None
    return lock


Precision = Literal["auto", "fp16", "bf16", "fp32"]
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass(frozen=True)
class Execution:
    """Device and precision in which a network runs.

    Attributes:
        device: device of all tensors.
        dtype: dtype of autocast; float32 means no autocast.
    """

    device: torch.device
    dtype: torch.dtype

    @property
    def name(self) -> str:
        """Kind of device and precision, such as `cuda fp16`. A training depends on both."""
        precision = next(name for name, dtype in DTYPES.items() if dtype == self.dtype)
        return f"{self.device.type} {precision}"

    @property
    def pins_batches(self) -> bool:
        """Whether to read batches into pinned memory, from which a GPU copies while the program goes on."""
        return self.device.type == "cuda"

    def autocast(self) -> torch.autocast:
        """Return the context in which to call the network."""
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32)

    def place(self, images: Tensor) -> Tensor:
        """Return images on the device, as float32 in the network's memory format.

        Args:
            images: (B, C, X, Y, Z), any floating dtype.
        """
        return images.to(self.device, torch.float32, non_blocking=True, memory_format=torch.channels_last_3d)


def resolve_execution(
    device: Literal["auto", "cpu", "cuda"],
    precision: Precision,
    threads: int,
    deterministic: bool = False,
) -> Execution:
    """Choose the device and the precision for this machine, and configure torch.

    Reserves one GPU, see `reserve_gpus`. Logs the choice, and a note if there are more threads than CPU cores. The
    terminal shows each message once per run, since a run may have many jobs.

    Args:
        device: `auto` uses a GPU if there is one.
        precision: precision of autocast. fp16 becomes fp32 on a CPU. `auto` is fp16 on a GPU, bf16 on a CPU that
            computes in it, and fp32 on other CPUs.
        threads: torch's number of CPU threads.
        deterministic: whether torch refuses operations whose results may differ between runs. A CPU has none.

    Returns:
        The device and precision to use.

    Raises:
        UserError: `device` is cuda and torch sees no GPU.
    """
    # The number of threads decides the order of sums, and so the last bits of every result.
    torch.set_num_threads(threads)
    # cuBLAS reads this when CUDA starts; results may differ without it (cuBLAS manual, "Results reproducibility").
    if deterministic:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(deterministic)  # of cuDNN as well
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # costs time, not needed
    if device != "cpu":
        reserve_gpus(1)
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise UserError(
            "training.device is cuda, but torch sees no GPU on this machine: run on one that has a GPU, "
            "or set training.device to auto or cpu"
        )
    chosen = torch.device("cuda" if available and device != "cpu" else "cpu")
    resolved = resolve_precision(precision, chosen.type)
    if chosen.type == "cpu" and precision == "fp16":
        logger.info("training.precision is fp16, which only GPUs support: using %s", resolved, extra=ONCE)
    where = (
        f"the CPU with {format_count(threads, 'thread')}"
        if chosen.type == "cpu"
        else torch.cuda.get_device_name(chosen)
    )
    logger.info("computing in %s on %s", resolved, where, extra={**ONCE, "computed_in": f"{resolved} on {where}"})
    if chosen.type == "cpu" and threads > (cores := _available_cores()):
        logger.info(
            "training.threads is %d, but this run has %s, which is slower than fewer threads. The number is kept, "
            "since it decides the last digits of the results",
            threads,
            format_count(cores, "CPU core"),
            extra=ONCE,
        )
    return Execution(chosen, DTYPES[resolved])


def resolve_precision(precision: Precision, device_type: str) -> Precision:
    """Return the precision in which this machine computes: fp16, bf16 or fp32.

    Args:
        precision: the setting, see `resolve_execution`.
        device_type: type of torch's device, `cuda` or `cpu`.
    """
    if device_type == "cuda":
        return "fp16" if precision == "auto" else precision
    if precision == "auto":
        return "bf16" if _cpu_computes_in_bf16() else "fp32"
    return "fp32" if precision == "fp16" else precision


def _cpu_computes_in_bf16() -> bool:
    """Return whether the processor has instructions for bf16; without them, bf16 is slower than fp32."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def _available_cores() -> int:
    """Return the CPU cores that this process may use, limited by the machine and by the run's `--cores`."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, int(os.environ.get(CORES, allowed)))
