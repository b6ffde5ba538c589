"""The peak memory of a training step, estimated from the network before training."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

from tumorseg.cli.console import logger
from tumorseg.errors import Message, UserError
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build_without_weights
from tumorseg.networks.memory import (
    GIB,
    OVERHEAD_BYTES,
    DeviceMemoryError,
    PeakMemoryTracker,
    device_bytes,
    keep_freed_memory,
    too_little_memory,
)
from tumorseg.training.distributed import local_batch_size, local_world_size, rank
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
    logger.info("a training step needs about %.1f GiB of the device's %.1f GiB", needed / GIB, available / GIB)
    if execution.device.type == "cpu" and needed <= available / AMPLE_MEMORY_FACTOR:
        keep_freed_memory()
    if needed <= available:
        return
    raise UserError(
        f"{_describe_step(recipe)} needs about {needed / GIB:.1f} GiB, but the device ({execution.name}) has "
        f"{available / GIB:.1f} GiB: {_remedy(recipe, execution)}"
    )


@contextmanager
def explain_out_of_memory(recipe: Recipe, execution: Execution) -> Iterator[None]:
    """Run training steps; if the memory of the GPU is too small, the error names the settings to change.

    The estimate of `require_memory` knows neither other programs on the GPU nor the fragments between tensors.

    Args:
        recipe: the configuration of the training.
        execution: device and precision.

    Raises:
        DeviceMemoryError: the memory of the device is too small.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        message = too_little_memory(execution.device, _describe_step(recipe), _remedy(recipe, execution))
        if rank() > 0:  # the first process, which reports errors, does not learn about this one
            logger.error("%s", message)
        raise DeviceMemoryError(message) from None


def _describe_step(recipe: Recipe) -> Message:
    shape = "x".join(map(str, recipe.training.input_shape))
    return (
        f"a training step on {recipe.training.batch_size} x {shape} voxels with model.base_channels "
        f"{recipe.architecture.base_channels}"
    )


def _remedy(recipe: Recipe, execution: Execution) -> Message:
    """Return the settings to change if the memory is too small."""
    advice: Message = "lower model.base_channels, training.input_shape or training.batch_size"
    if recipe.training.gradient_checkpointing:
        return advice
    training = dataclasses.replace(recipe.training, gradient_checkpointing=True)
    reduced = peak_bytes(dataclasses.replace(recipe, training=training), execution.dtype) / GIB
    return f"{advice}, or set training.gradient_checkpointing to true (about {reduced:.1f} GiB)"


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
