"""Several processes that train one network together, each on its share of every batch (torch.distributed)."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.nn.functional import all_reduce
from torch.distributed.run import parse_args, run
from torch.nn.parallel import DistributedDataParallel

from tumorseg.errors import UserError
from tumorseg.network.gpus import take_gpus
from tumorseg.processes import end_with_parent

Item = TypeVar("Item")
_LAUNCHER: Final = "LAUNCHER_PROCESS"
"""Environment variable with the process that has launched this one."""


def rank() -> int:
    """Which of the processes this is, as torchrun says; 0 where it is the only one."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """How many processes train together, as torchrun says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def processes_here() -> int:
    """How many of them run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def started() -> bool:
    """Whether torchrun has started this process, as `launch` does, or a person who trains on several machines."""
    return "WORLD_SIZE" in os.environ


def launch(processes: int, threads: int, on_gpus: bool, script: Path, arguments: Sequence[str]) -> None:
    """Run the script in so many processes on this machine, each told who it is, until they have ended.

    Raises SystemExit, after the processes' own words, where one of them has failed or all were interrupted.
    """
    if on_gpus:
        take_gpus(processes)
    os.environ |= {"OMP_NUM_THREADS": str(threads), _LAUNCHER: str(os.getpid())}
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        run(parse_args(["--standalone", f"--nproc-per-node={processes}", "--", str(script), *arguments]))  # type: ignore[no-untyped-call]
    except (ChildFailedError, SignalException):
        raise SystemExit(1) from None


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Meet the other processes, if there are any, over nccl on GPUs and gloo on CPUs.

    Raises UserError where there are fewer GPUs than processes.
    """
    if count() == 1:
        yield
        return
    end_with_parent()
    if os.environ.get(_LAUNCHER, str(os.getppid())) != str(os.getppid()):
        raise SystemExit(1)  # killed before that
    if device.type == "cuda":
        if processes_here() > torch.cuda.device_count():
            raise UserError(
                f"{processes_here()} processes are to train here, one for each GPU, and torch sees "
                f"{torch.cuda.device_count()}: lower the resource gpu of the rule train_epoch"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield
    distributed.destroy_process_group()  # not after an error, where it could wait for processes that wait for this one


def share_of(batch_size: int) -> int:
    """Patches of a batch for each process. Raises UserError where they cannot be shared out evenly."""
    share, left = divmod(batch_size, count())
    if left:
        raise UserError(
            f"training.batch_size {batch_size} cannot be shared out evenly among {count()} processes, of which the "
            f"resource gpu of the rule train_epoch makes one for each GPU: set it to {count() * (share + 1)}"
        )
    return share


def mine(items: Sequence[Item]) -> Sequence[Item]:
    """The items that this process takes: every n-th of n processes."""
    return items[rank() :: count()]


def everyones(own: list[Item]) -> list[Item]:
    """What all processes have made of `mine(items)`, in the order of the items."""
    if count() == 1:
        return own
    gathered: list[Any] = [None] * count()
    distributed.all_gather_object(gathered, own)
    missing = object()
    return [item for turn in zip_longest(*gathered, fillvalue=missing) for item in turn if item is not missing]


@contextmanager
def agreeing() -> Iterator[None]:
    """A block without exchange between processes, after which a UserError in one of them ends all, told once."""
    problem = None
    try:
        yield
    except UserError as error:
        problem = str(error)
    problems = [told for told in everyones([problem]) if told is not None]
    if problems:
        raise UserError(problems[0]) if rank() == 0 else SystemExit(1)


def together(module: nn.Module) -> nn.Module:
    """The module, whose gradients become the mean over all processes."""
    # Batch norm's statistics, the only buffers, are the same in all processes without being sent around.
    return module if count() == 1 else DistributedDataParallel(module, broadcast_buffers=False)


def summed(values: Tensor) -> Tensor:
    """The sum over all processes, through which gradients flow."""
    total: Tensor = values if count() == 1 else all_reduce(values)  # type: ignore[no-untyped-call]
    return total


def mean(value: Tensor) -> Tensor:
    """The mean over all processes, without gradient."""
    return summed(value.detach()) / count()
