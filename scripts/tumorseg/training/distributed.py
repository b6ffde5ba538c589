"""Distributed training: several processes train one network, each on its shard of every batch.

Uses torch.distributed. Batch norm is computed over the batches of all processes.
"""

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

from tumorseg.cli.processes import exit_with_parent
from tumorseg.errors import UserError
from tumorseg.networks.devices import reserve_gpus

Item = TypeVar("Item")
_LAUNCHER_VARIABLE: Final = "LAUNCHER_PROCESS"
"""Environment variable with the process that has launched this one."""


def rank() -> int:
    """Which of the processes this is, as torchrun says; 0 where it is the only one."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many processes train together, as torchrun says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_world_size() -> int:
    """How many of them run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def launched_by_torchrun() -> bool:
    """Whether torchrun has started this process, as `launch` does, or a person who trains on several machines."""
    return "WORLD_SIZE" in os.environ


def launch(processes: int, threads: int, on_gpus: bool, script: Path, arguments: Sequence[str]) -> None:
    """Run the script in so many processes on this machine, each told who it is, until they have ended.

    Raises SystemExit, after the processes' own words, where one of them has failed or all were interrupted.
    """
    if on_gpus:
        reserve_gpus(processes)
    os.environ |= {"OMP_NUM_THREADS": str(threads), _LAUNCHER_VARIABLE: str(os.getpid())}
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        run(parse_args(["--standalone", f"--nproc-per-node={processes}", "--", str(script), *arguments]))  # type: ignore[no-untyped-call]
    except (ChildFailedError, SignalException):
        raise SystemExit(1) from None


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Meet the other processes, if there are any, over nccl on GPUs and gloo on CPUs.

    Raises UserError where there are fewer GPUs than processes.
    """
    if world_size() == 1:
        yield
        return
    exit_with_parent()
    if os.environ.get(_LAUNCHER_VARIABLE, str(os.getppid())) != str(os.getppid()):
        raise SystemExit(1)  # killed before that
    if device.type == "cuda":
        if local_world_size() > torch.cuda.device_count():
            raise UserError(
                f"{local_world_size()} processes are to train here, one for each GPU, and torch sees "
                f"{torch.cuda.device_count()}: lower the resource gpu of the rule train_epoch"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield
    distributed.destroy_process_group()  # not after an error, where it could wait for processes that wait for this one


def local_batch_size(batch_size: int) -> int:
    """Patches of a batch for each process. Raises UserError where they cannot be shared out evenly."""
    share, left = divmod(batch_size, world_size())
    if left:
        raise UserError(
            f"training.batch_size {batch_size} cannot be shared out evenly among {world_size()} processes, of which the "
            f"resource gpu of the rule train_epoch makes one for each GPU: set it to {world_size() * (share + 1)}"
        )
    return share


def local_shard(items: Sequence[Item]) -> Sequence[Item]:
    """The items that this process takes: every n-th of n processes."""
    return items[rank() :: world_size()]


def gather(local_items: list[Item]) -> list[Item]:
    """What all processes have made of `mine(items)`, in the order of the items."""
    if world_size() == 1:
        return local_items
    gathered: list[Any] = [None] * world_size()
    distributed.all_gather_object(gathered, local_items)
    missing = object()
    return [item for turn in zip_longest(*gathered, fillvalue=missing) for item in turn if item is not missing]


@contextmanager
def sync_errors() -> Iterator[None]:
    """A block without exchange between processes, after which a UserError in one of them ends all, told once."""
    problem = None
    try:
        yield
    except UserError as error:
        problem = str(error)
    problems = [told for told in gather([problem]) if told is not None]
    if problems:
        raise UserError(problems[0]) if rank() == 0 else SystemExit(1)


def wrap_ddp(module: nn.Module) -> nn.Module:
    """The module, whose gradients become the mean over all processes."""
    # Batch norm's statistics, the only buffers, are the same in all processes without being sent around.
    return module if world_size() == 1 else DistributedDataParallel(module, broadcast_buffers=False)


def all_reduce_sum(values: Tensor) -> Tensor:
    """The sum over all processes, through which gradients flow."""
    total: Tensor = values if world_size() == 1 else all_reduce(values)  # type: ignore[no-untyped-call]
    return total


def all_reduce_mean(value: Tensor) -> Tensor:
    """The mean over all processes, without gradient."""
    return all_reduce_sum(value.detach()) / world_size()


Network = TypeVar("Network", bound=nn.Module)


def with_sync_batch_norm(network: Network, device: torch.device) -> Network:
    """The network on `device`, with batch norm over all processes: torch's own on GPUs, where alone that runs."""
    network.to(device)
    if world_size() == 1:
        return network
    if device.type == "cuda":
        converted: Network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return converted
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm3d):
                norm = CpuSyncBatchNorm(child.num_features)
                norm.load_state_dict(child.state_dict())
                setattr(parent, name, norm)
    return network


class CpuSyncBatchNorm(nn.BatchNorm3d):
    """On CPUs what `torch.nn.SyncBatchNorm` is on GPUs, with the weights and running statistics of plain batch norm."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """(B, C, X, Y, Z) to the same shape."""
        if not self.training:
            normed: Tensor = super().forward(input)
            return normed
        over = (0, 2, 3, 4)
        values = input.float()
        elements = values.numel() / values.shape[1] * world_size()
        mean = all_reduce_sum(values.sum(over)) / elements
        centred = values - mean.view(1, -1, 1, 1, 1)
        variance = all_reduce_sum(centred.square().sum(over)) / elements
        with torch.no_grad():
            for statistic, now in ((self.running_mean, mean), (self.running_var, variance * elements / (elements - 1))):
                statistic.lerp_(now, self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * torch.rsqrt(variance + self.eps)
        scaled: Tensor = centred * scale.view(1, -1, 1, 1, 1) + self.bias.view(1, -1, 1, 1, 1)
        return scaled.to(input.dtype)
