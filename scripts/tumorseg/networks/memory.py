"""The memory of a device, the peak memory of tensors, and malloc settings."""

import ctypes
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from tumorseg.errors import Message, UserError

_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
"""Parameter numbers of mallopt(3) in the GNU C library."""


def keep_freed_memory() -> None:
    """Let malloc reuse freed memory instead of returning it to the system, which clears it each time.

    A training step then takes two thirds of the time (measured, see the benchmarks) and up to 1.5 times the peak
    memory. Results do not change. Does nothing if the C library is not GNU's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)


GIB: Final = 2**30
"""Bytes of a GiB."""
OVERHEAD_BYTES: Final = 0.3 * GIB
"""Memory of Python, torch and its libraries before the first tensor, measured on a CPU; not measured with CUDA."""


def device_bytes(device: torch.device) -> int:
    """Return the total memory of the device in bytes; for a CPU, of this machine within its cgroup limits."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return min(int(psutil.virtual_memory().total), *cgroup_limits())


def cgroup_limits(root: Path = Path("/sys/fs/cgroup"), process_cgroups: Path = Path("/proc/self/cgroup")) -> list[int]:
    """Return the memory limits of this process in bytes, set by a container or scheduler (Linux cgroups v1 and v2)."""
    limits = [sys.maxsize]
    for line in process_cgroups.read_text(encoding="utf-8").splitlines() if process_cgroups.exists() else []:
        _, controllers, name = line.split(":", 2)
        group, file = (root, "memory.max") if not controllers else (root / controllers, "memory.limit_in_bytes")
        for folder in [group / name.strip("/"), *(group / name.strip("/")).parents]:
            with suppress(OSError, ValueError):  # the file is missing, or says "max"
                limits.append(int((folder / file).read_text()))
            if folder == group:
                break
    return limits


class DeviceMemoryError(UserError):
    """A computation needs more memory than the device has. The message names the settings to change."""


def too_little_memory(device: torch.device, purpose: Message, remedy: Message) -> Message:
    """Return the message of a `DeviceMemoryError`, instead of that of torch's OutOfMemoryError, which names no setting.

    Args:
        device: the device whose memory is too small.
        purpose: what needed the memory.
        remedy: the settings to change.
    """
    used: Message = ""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        reserved = torch.cuda.memory_reserved(device)
        used = f" ({total / GIB:.1f} GiB: {reserved / GIB:.1f} used by this process, {free / GIB:.1f} free)"
    return f"{purpose}: the memory of the device is too small{used}; {remedy}, or end other programs on this device"


class PeakMemoryTracker(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tracks the peak memory of tensors: the bytes of all storages that exist at the same time.

    On torch's meta device, where tensors have shapes but no content, this needs no memory.

    Attributes:
        peak_bytes: the peak so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak_bytes = self._live_bytes = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tree_map_only(Tensor, self._enter, result)
        return result

    def _enter(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size_bytes = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self._live_bytes += size_bytes
            self.peak_bytes = max(self.peak_bytes, self._live_bytes)
            weakref.finalize(storage, self._leave, key, size_bytes)

    def _leave(self, key: int, size_bytes: int) -> None:
        self._known.discard(key)
        self._live_bytes -= size_bytes
