"""The memory of a device, the peak memory of tensors, and the settings of malloc on a CPU."""

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


GIB: Final = 2**30
OVERHEAD_BYTES: Final = 0.3 * GIB
"""Python, torch and its libraries before the first tensor, as measured on a CPU; that of CUDA has not been measured."""


def device_bytes(device: torch.device) -> int:
    """The memory of the device, used or not."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return min(int(psutil.virtual_memory().total), *cgroup_limits())


def cgroup_limits(root: Path = Path("/sys/fs/cgroup"), process_cgroups: Path = Path("/proc/self/cgroup")) -> list[int]:
    """Limits that a container or a scheduler sets to this process's memory (control groups of Linux, both versions)."""
    limits = [sys.maxsize]
    for line in process_cgroups.read_text(encoding="utf-8").splitlines() if process_cgroups.exists() else []:
        _, controllers, name = line.split(":", 2)
        group, file = (root, "memory.max") if not controllers else (root / controllers, "memory.limit_in_bytes")
        for folder in [group / name.strip("/"), *(group / name.strip("/")).parents]:
            with suppress(OSError, ValueError):  # no such file; "max"
                limits.append(int((folder / file).read_text()))
            if folder == group:
                break
    return limits


class PeakMemoryTracker(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of the storages that exist at the same time, from their making to their end.

    On torch's meta device, where tensors have shapes and no content, that costs no memory.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._live = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tree_map_only(Tensor, self._enter, result)
        return result

    def _enter(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self._live += size
            self.peak = max(self.peak, self._live)
            weakref.finalize(storage, self._leave, key, size)

    def _leave(self, key: int, size: int) -> None:
        self._known.discard(key)
        self._live -= size
