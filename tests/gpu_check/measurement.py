"""Measure run times and memory on a device, where operations may run in the background."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.gpu_check.check import Figure
from tumorseg.networks.memory import GIB, OVERHEAD_BYTES

MEMORY_TOLERANCE = 0.2
"""Largest relative difference between an estimate of memory and the measurement."""


def wait_for(device: torch.device) -> None:
    """Wait until the device has finished all operations."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_each(run: Callable[[], Any], times: int, device: torch.device) -> list[float]:
    """Return the run times of a function on a device. The first run, which is slower, is left out."""
    found = []
    for _ in range(times + 1):
        wait_for(device)
        began = time.perf_counter()
        run()
        wait_for(device)
        found.append(time.perf_counter() - began)
    return found[1:]


def start_measuring_memory(device: torch.device) -> None:
    """Forget the peak so far. A CPU has no such function: each check has a process of its own."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_bytes(device: torch.device) -> int:
    """Return the peak memory: what torch has reserved on a GPU, or of this process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device) + OVERHEAD_BYTES)
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


def memory_figures(device: torch.device, estimate_bytes: int) -> list[Figure]:
    """Return the peak memory, and how far an estimate is from it."""
    peak = peak_memory_bytes(device)
    found = [
        Figure("peak memory", peak / GIB, "GiB"),
        Figure("estimated memory", estimate_bytes / GIB, "GiB"),
        Figure("estimate / peak", estimate_bytes / peak),
    ]
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        tensors = torch.cuda.max_memory_allocated(device)
        found += [
            Figure("peak memory of tensors alone", tensors / GIB, "GiB"),
            Figure("memory in use on the GPU afterwards, other programs included", (total - free) / GIB, "GiB"),
        ]
    return found


def memory_problems(device: torch.device, estimate_bytes: int) -> list[str]:
    """Return a sentence if an estimate is too far from the measured peak."""
    ratio = estimate_bytes / peak_memory_bytes(device)
    if abs(ratio - 1) <= MEMORY_TOLERANCE:
        return []
    return [f"the estimate of the memory is {ratio:.2f} times the measured peak; at most {MEMORY_TOLERANCE:.0%} off"]
