"""Where and in which precision the network runs, decided on the machine where it runs."""

import os
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tumorseg.console import CORES, ONCE, logger
from tumorseg.counts import counted
from tumorseg.errors import UserError
from tumorseg.network.gpus import take_gpus

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


def resolve(
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
        take_gpus(1)
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
    where = f"the CPU with {counted(threads, 'thread')}" if chosen.type == "cpu" else torch.cuda.get_device_name(chosen)
    logger.info("computing in %s on %s", precision, where, extra={**ONCE, "computed_in": f"{precision} on {where}"})
    if chosen.type == "cpu" and threads > (cores := _cores()):
        logger.info(
            "training.threads is %d, and this run has %s: this takes longer than with fewer threads. They stay, since "
            "their number decides the last digits of the results",
            threads,
            counted(cores, "CPU core"),
            extra=ONCE,
        )
    return Execution(chosen, DTYPES[precision])


def _cores() -> int:
    """CPU cores that this process may use, by the machine and by the run's `--cores`."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, int(os.environ.get(CORES, allowed)))
