"""The peak memory of a training step, estimated from the network before training."""

import dataclasses
from typing import Final

import torch

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build_without_weights
from tumorseg.networks.memory import GIB, OVERHEAD_BYTES, PeakMemoryTracker, device_bytes, keep_freed_memory
from tumorseg.training.distributed import local_batch_size, local_world_size
from tumorseg.training.losses import LossTerms, deep_supervision_loss
from tumorseg.training.recipe import Recipe

AMPLE_MEMORY_FACTOR: Final = 4
"""If a CPU has this many times the memory of a step, the memory of freed tensors is kept for reuse."""


def peak_bytes(recipe: Recipe, dtype: torch.dtype) -> int:
    """Return the peak memory of a training step per process in bytes, including network and optimizer.

    Runs a step on torch's meta device, where tensors have shapes but no content, and adds up all tensors that exist at
    the same time.

    Args:
        recipe: the configuration of the training.
        dtype: dtype of the network's activations.
    """
    settings = recipe.training
    tracker = PeakMemoryTracker()
    with tracker, torch.device("meta"):
        network = build_without_weights(recipe.architecture).to(dtype)
        network.gradient_checkpointing = settings.gradient_checkpointing
        patches = local_batch_size(settings.batch_size)
        images = torch.zeros(patches, recipe.architecture.channels, *settings.input_shape)
        masks = torch.zeros(patches, *settings.input_shape, dtype=torch.long)
        placed = images.to(dtype).contiguous(memory_format=torch.channels_last_3d)
        del images
        deep_supervision_loss(network.levels(placed), masks, LossTerms.from_recipe(recipe)).backward()  # type: ignore[no-untyped-call]
    # The tracker has seen one copy of the weights, in `dtype`. Adam adds two moments to float32 weights and gradients.
    weights = sum(parameter.numel() for parameter in network.parameters())
    copies = 3 if settings.ema_decay is None else 4
    return int(tracker.peak_bytes + copies * 4 * weights + OVERHEAD_BYTES)


def require_memory(recipe: Recipe, execution: Execution) -> None:
    """Log the memory that a training step needs, and check that the device has it.

    On a CPU with ample memory, keeps freed memory for reuse, which makes steps faster.

    Args:
        recipe: the configuration of the training.
        execution: device and precision.

    Raises:
        UserError: the device has too little memory; the message names the settings to change.
    """
    needed, available = peak_bytes(recipe, execution.dtype), _device_bytes_per_process(execution.device)
    settings = recipe.training
    logger.info("a training step needs about %.1f GiB of the device's %.1f GiB", needed / GIB, available / GIB)
    if execution.device.type == "cpu" and needed <= available / AMPLE_MEMORY_FACTOR:
        keep_freed_memory()
    if needed <= available:
        return
    advice = "lower model.base_channels, training.input_shape or training.batch_size"
    if not settings.gradient_checkpointing:
        checkpointing = dataclasses.replace(recipe, training=dataclasses.replace(settings, gradient_checkpointing=True))
        reduced = peak_bytes(checkpointing, execution.dtype) / GIB
        advice += f", or set training.gradient_checkpointing to true (about {reduced:.1f} GiB)"
    shape = "x".join(map(str, settings.input_shape))
    raise UserError(
        f"a training step on {settings.batch_size} x {shape} voxels with model.base_channels "
        f"{recipe.architecture.base_channels} needs about {needed / GIB:.1f} GiB, but the device ({execution.name}) "
        f"has {available / GIB:.1f} GiB: {advice}"
    )


def free_cpu_bytes(recipe: Recipe, execution: Execution) -> int:
    """Return the CPU memory in bytes that training steps leave to each process.

    Args:
        recipe: the configuration of the training.
        execution: device and precision.
    """
    of_steps = peak_bytes(recipe, execution.dtype) if execution.device.type == "cpu" else 0
    return max(0, _device_bytes_per_process(torch.device("cpu")) - of_steps)


def _device_bytes_per_process(device: torch.device) -> int:
    """Return the device's memory in bytes per process; all processes of a machine share its CPU memory."""
    return device_bytes(device) if device.type == "cuda" else device_bytes(device) // local_world_size()
