"""The peak memory of a training step, computed from the network before the step runs."""

import dataclasses
from typing import Final

import torch

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import GIB, OVERHEAD_BYTES, PeakMemoryTracker, device_bytes, keep_freed_memory
from tumorseg.networks.registry import build_without_weights
from tumorseg.training.distributed import local_batch_size, local_world_size
from tumorseg.training.losses import deep_supervision_loss
from tumorseg.training.settings import Recipe

AMPLE_MEMORY_FACTOR: Final = 4
"""So many times what a step takes, and the memory of freed tensors is kept for the next ones."""


def peak_bytes(recipe: Recipe, dtype: torch.dtype) -> int:
    """Bytes that a training step takes at its peak in each process, network and optimizer included.

    A step is run on torch's meta device, where tensors have shapes and no content, and every tensor is counted from its
    making to its end. dtype: that of the network's inner results.
    """
    settings = recipe.training
    ledger = PeakMemoryTracker()
    with ledger, torch.device("meta"):
        network = build_without_weights(recipe.architecture).to(dtype)
        network.gradient_checkpointing = settings.gradient_checkpointing
        patches = local_batch_size(settings.batch_size)
        images = torch.zeros(patches, recipe.architecture.channels, *settings.input_shape)
        masks = torch.zeros(patches, *settings.input_shape, dtype=torch.long)
        placed = images.to(dtype).contiguous(memory_format=torch.channels_last_3d)
        del images
        deep_supervision_loss(network.levels(placed), masks, recipe.task.label_values).backward()  # type: ignore[no-untyped-call]
    # The meta network has its weights once, in `dtype`: Adam keeps two moments beside float32 weights and gradients.
    weights = sum(parameter.numel() for parameter in network.parameters())
    copies = 3 if settings.weight_averaging is None else 4
    return int(ledger.peak + copies * 4 * weights + OVERHEAD_BYTES)


def require_memory(recipe: Recipe, execution: Execution) -> None:
    """Say what a training step will take, and where there is plenty of memory spend it on speed.

    Raises UserError, with what to change, where the device has less.
    """
    needed, there = peak_bytes(recipe, execution.dtype), _device_bytes_per_process(execution.device)
    settings = recipe.training
    logger.info("a training step takes about %.1f GiB of the %.1f GiB of this device", needed / GIB, there / GIB)
    if execution.device.type == "cpu" and needed <= there / AMPLE_MEMORY_FACTOR:
        keep_freed_memory()
    if needed <= there:
        return
    advice = "lower model.base_channels, training.input_shape or training.batch_size"
    if not settings.gradient_checkpointing:
        frugal = dataclasses.replace(recipe, training=dataclasses.replace(settings, gradient_checkpointing=True))
        less = peak_bytes(frugal, execution.dtype) / GIB
        advice += f", or set training.gradient_checkpointing to true, with which it takes about {less:.1f} GiB"
    shape = "x".join(map(str, settings.input_shape))
    raise UserError(
        f"a training step on {settings.batch_size} x {shape} voxels with model.base_channels "
        f"{recipe.architecture.base_channels} takes about {needed / GIB:.1f} GiB, and the device ({execution.name}) "
        f"has {there / GIB:.1f} GiB: {advice}"
    )


def _device_bytes_per_process(device: torch.device) -> int:
    """The memory of the device for each of the processes that share it."""
    return device_bytes(device) if device.type == "cuda" else device_bytes(device) // local_world_size()
