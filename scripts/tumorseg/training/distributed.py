"""Distributed training: several processes train one network, each on its shard of every batch.

Uses torch.distributed. Here a shard is the part of a list that one process gets; shards of cases (`cohort.shards`) are
something else. Batch norm is computed over the batches of all processes.
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
"""Environment variable that holds the id of the process that launched this one."""


def rank() -> int:
    """Return the rank of this process, as set by torchrun; 0 for a single process."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Return the number of processes that train together, as set by torchrun; 1 for a single process."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_world_size() -> int:
    """Return the number of processes that train together on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def launched_by_torchrun() -> bool:
    """Return whether torchrun has started this process: from `launch`, or by a user to train on several machines."""
    return "WORLD_SIZE" in os.environ


def launch(processes: int, threads: int, on_gpus: bool, script: Path, arguments: Sequence[str]) -> None:
    """Run a script in several processes on this machine and wait until they have ended.

    Args:
        processes: number of processes.
        threads: CPU threads of each process.
        on_gpus: whether to reserve one GPU for each process.
        script: the Python script to run.
        arguments: its command-line arguments.

    Raises:
        SystemExit: a process has failed (and has printed its error), or all were interrupted.
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
    """Join the process group, if there are several processes: over nccl on GPUs, over gloo on CPUs.

    Args:
        device: the kind of device on which this process trains.

    Raises:
        UserError: there are fewer GPUs than processes on this machine.
        SystemExit: the launching process has ended.
    """
    if world_size() == 1:
        yield
        return
    exit_with_parent()
    if os.environ.get(_LAUNCHER_VARIABLE, str(os.getppid())) != str(os.getppid()):
        raise SystemExit(1)  # the launcher died before exit_with_parent took effect
    if device.type == "cuda":
        if local_world_size() > torch.cuda.device_count():
            raise UserError(
                f"training needs {local_world_size()} GPUs on this machine, one per process, but torch sees "
                f"{torch.cuda.device_count()}: lower the resource gpu of the rule train_epoch"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield
    distributed.destroy_process_group()  # not after an error: it could deadlock with processes that wait for this one


def local_batch_size(batch_size: int) -> int:
    """Return the number of patches of a batch per process.

    Raises:
        UserError: the patches cannot be divided evenly.
    """
    share, remainder = divmod(batch_size, world_size())
    if remainder:
        raise UserError(
            f"training.batch_size {batch_size} cannot be divided evenly among {world_size()} processes (one per GPU, "
            f"see the resource gpu of the rule train_epoch): set it to {world_size() * (share + 1)}"
        )
    return share


def local_shard(items: Sequence[Item], first: int = 0) -> Sequence[Item]:
    """Return the items of this process: every n-th item, for n processes.

    Args:
        items: the items of all processes.
        first: rank of the process that gets the first item; it may exceed the number of processes, which then repeat.
    """
    return items[(rank() - first) % world_size() :: world_size()]


def gather(local_items: list[Item]) -> list[Item]:
    """Return the results of all processes for their `local_shard(items)`, in the order of the items."""
    if world_size() == 1:
        return local_items
    gathered: list[Any] = [None] * world_size()
    distributed.all_gather_object(gathered, local_items)
    missing = object()
    return [item for row in zip_longest(*gathered, fillvalue=missing) for item in row if item is not missing]


@contextmanager
def sync_errors() -> Iterator[None]:
    """Run a block so that a UserError in one process ends all processes after it; the first process reports the error.

    The processes must not communicate within the block.

    Raises:
        UserError: in the first process, if a process has failed.
        SystemExit: in the others.
    """
    problem = None
    try:
        yield
    except UserError as error:
        problem = str(error)
    problems = [message for message in gather([problem]) if message is not None]
    if problems:
        raise UserError(problems[0]) if rank() == 0 else SystemExit(1)


def wrap_ddp(module: nn.Module) -> nn.Module:
    """Wrap a module so that its gradients are averaged over all processes; unchanged for a single process."""
    # The only buffers are batch-norm statistics, which are already the same in all processes.
    return module if world_size() == 1 else DistributedDataParallel(module, broadcast_buffers=False)


def all_reduce_sum(values: Tensor) -> Tensor:
    """Return the sum over all processes; gradients flow through it.

    Args:
        values: any shape, equal in all processes.
    """
    total: Tensor = values if world_size() == 1 else all_reduce(values)  # type: ignore[no-untyped-call]
    return total


def all_reduce_mean(value: Tensor) -> Tensor:
    """Return the mean over all processes, detached from the gradient.

    Args:
        value: any shape, equal in all processes.
    """
    return all_reduce_sum(value.detach()) / world_size()


Network = TypeVar("Network", bound=nn.Module)


def with_sync_batch_norm(network: Network, device: torch.device) -> Network:
    """Move a network to `device` and compute its batch norm over all processes.

    Uses torch's SyncBatchNorm on GPUs and `CpuSyncBatchNorm` on CPUs, where torch's does not run.

    Args:
        network: changed in place.
        device: device for training.

    Returns:
        The network with synchronised batch norm.
    """
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
    """`torch.nn.SyncBatchNorm` for CPUs, with the same weights and running statistics as plain batch norm."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """Normalise a batch over all processes.

        Args:
            input: (B, C, X, Y, Z).

        Returns:
            (B, C, X, Y, Z), of the same dtype.
        """
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
